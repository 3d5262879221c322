#include "launch/verbs/compute_choice.h"

#include <ATen/Context.h>

#include "data/support/error.h"

namespace rim {
namespace {

constexpr std::int64_t kNarrowestForCpuBfloat16 = 128;
constexpr int kFirstBfloat16Capability = 8;

}  // namespace

at::Device choose_device(const std::string& wanted, int local_rank, const GpuSurvey& survey) {
  if (wanted == "cpu") return at::kCPU;
  std::string problem = survey.problem;
  if (problem.empty()) {
    load_cuda_support();
    if (!at::hasCUDA()) problem = "there are GPUs, but this libtorch has no CUDA half beside it or it does not load";
  }
  if (problem.empty()) {
    const int count = static_cast<int>(survey.gpus.size());
    return {at::kCUDA, static_cast<at::DeviceIndex>(local_rank % count)};
  }
  if (wanted == "cuda") throw Error(ExitCode::config, "device: cuda: " + problem);
  return at::kCPU;
}

DtypeChoice choose_dtype(const std::string& wanted, at::Device device, const ModelConfig& model,
                         const GpuSurvey& survey, const Hardware& hardware) {
  if (wanted == "float32") return {at::kFloat, ""};
  if (wanted == "bfloat16") return {at::kBFloat16, ""};
  if (device.is_cuda()) {
    const Gpu& gpu = survey.gpus.at(static_cast<std::size_t>(device.index()));
    if (gpu.compute_major >= kFirstBfloat16Capability) return {at::kBFloat16, "auto: the GPU has it"};
    return {at::kFloat, "auto: the GPU has no bfloat16"};
  }
  if (!hardware.bfloat16_instructions) return {at::kFloat, "auto: the CPU has no bfloat16 instructions"};
  if (model.hidden_size < kNarrowestForCpuBfloat16) return {at::kFloat, "auto: faster at this width"};
  return {at::kBFloat16, "auto: the CPU has its instructions"};
}

std::unique_ptr<Communicator> make_communicator(at::Device device, std::chrono::seconds timeout,
                                                const MpiSession& session, const GpuSurvey& survey) {
  const CommunicatorOptions options{.timeout = timeout};
  auto host = make_mpi_communicator(options);
  const bool own_gpu = device.is_cuda() && session.local_size() <= static_cast<int>(survey.gpus.size());
  const double ranks_with_own = host->sum(own_gpu && nccl_available() ? 1.0 : 0.0, "choose NCCL or MPI");
  if (ranks_with_own < session.size() || session.size() == 1) return host;
  return make_nccl_communicator(std::move(host), device.index(), options);
}

std::string dtype_name(at::ScalarType dtype) { return dtype == at::kBFloat16 ? "bfloat16" : "float32"; }

}  // namespace rim
