// The GPUs of this machine as the NVIDIA driver reports them, asked for at run time: nothing is linked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rim {

struct Gpu {
  std::string name;
  std::int64_t memory_bytes = 0;
  int compute_major = 0;  // 8 and up have bfloat16 arithmetic
  int compute_minor = 0;
  // The slices of a GPU that is cut up (MIG) have one address and UUIDs of their own.
  std::string uuid;         // 32 hexadecimal digits; unique among all hosts
  std::string pci_address;  // "0000:3b:00.0"; unique on its host
};

struct GpuSurvey {
  std::vector<Gpu> gpus;   // in CUDA's order, CUDA_VISIBLE_DEVICES obeyed
  std::string problem;     // why there are none; empty where there are some
  int driver_version = 0;  // CUDA version the driver supports, e.g. 13000; 0: no driver
};

GpuSurvey survey_gpus();

// "13.0", "2.27.5"; empty for what this process has not loaded.
struct CudaVersions {
  std::string driver, runtime, nccl;
};
// What libtorch's CUDA half brought in. Asks nobody where the survey saw no driver.
CudaVersions cuda_versions(const GpuSurvey& survey);

}  // namespace rim
