// Which device and which precision a rank computes with.
#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "launch/verbs/gpus.h"
#include "launch/verbs/hardware.h"
#include "trainer/model/model_config.h"
#include "trainer/parallel/communicator.h"

namespace rim {

struct DeviceChoice {
  at::Device device{at::kCPU};
  std::string gpu_note;  // for auto on a machine with NVIDIA's driver: why the CPU was taken nevertheless
};

// `wanted`: auto, cpu or cuda. On GPUs, local rank r takes device r modulo their number.
// Throws Error(config) for cuda where no GPU can be used, saying why.
DeviceChoice choose_device(const std::string& wanted, int local_rank, const GpuSurvey& survey);

struct DtypeChoice {
  at::ScalarType dtype = at::kFloat;
  std::string reason;  // for the start-up table; empty where the configuration said so
};

// float32's time over bfloat16's for a matrix product, measured here where the processor has the instructions; else 0.
// Local.
double bfloat16_gain(const Hardware& hardware);
// The same over all ranks, so that all choose alike: 0 where one has none. COLLECTIVE.
double bfloat16_gain(const Hardware& hardware, Communicator& communicator);

// `wanted`: auto, float32 or bfloat16. auto: bfloat16 on GPUs of compute capability 8 and up, and on CPUs where
// `bfloat16_gain` is at least 1.1 for models at least 128 wide; else float32. Measured on one core of an AMD EPYC with
// avx512_bf16, 3 layers, bfloat16 over float32 tokens/s: width 32: 0.5, 64: 0.8, 128: 1.6, 256: 2.0, 512: 2.3.
DtypeChoice choose_dtype(const std::string& wanted, at::Device device, const ModelConfig& model,
                         const GpuSurvey& survey, double bfloat16_gain);

// What decides between NCCL and MPI.
struct RankGpu {
  std::string uuid;     // as in Gpu; equal ones are one device
  std::string place;    // host and PCI address; NCCL takes equal ones for one GPU, even two slices of it
  std::string problem;  // why this rank cannot use NCCL; empty where it can
};

// Why these ranks cannot talk over NCCL, which wants a whole GPU for each; empty where they can.
std::string obstacle_to_nccl(const std::vector<RankGpu>& ranks);

struct Connection {
  std::unique_ptr<Communicator> communicator;
  std::string transport;  // for the start-up table: "NCCL", or "MPI" with the reason where there are GPUs
};

// NCCL where every rank has a GPU of its own, else MPI (staging CUDA tensors through host memory). COLLECTIVE.
Connection connect_ranks(at::Device device, std::chrono::seconds timeout, const GpuSurvey& survey);

std::string dtype_name(at::ScalarType dtype);

}  // namespace rim
