#include "launch/verbs/doctor.h"

#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "launch/verbs/compute_choice.h"
#include "launch/verbs/gpus.h"
#include "launch/verbs/hardware.h"
#include "launch/verbs/terminal.h"
#include "launch/verbs/version.h"

namespace rim {
namespace {

using State = Finding::State;

constexpr std::int64_t kLeastMemory = 2'000'000'000;

std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::filesystem::path candidate = std::filesystem::path(folder) / name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate.string();
  }
  return "";
}

Finding processor(const Hardware& hardware) {
  return {State::present, "processor",
          hardware.processor + ", " + std::to_string(hardware.usable_cores) + " usable cores", ""};
}

Finding bfloat16(const Hardware& hardware) {
  if (hardware.bfloat16_instructions) {
    const std::string time = short_number(1 / bfloat16_gain(hardware), 2);
    return {State::present, "bfloat16 on CPU",
            "avx512_bf16 or amx_bf16; a product takes " + time + " of float32's time", ""};
  }
  return {State::absent, "bfloat16 on CPU", "no avx512_bf16 or amx_bf16",
          "nothing to do: dtype auto takes float32 here"};
}

Finding memory(const Hardware& hardware) {
  const std::string detail = byte_text(static_cast<double>(hardware.memory_bytes)) + ", " +
                             byte_text(static_cast<double>(hardware.available_bytes)) + " free";
  const bool enough = hardware.available_bytes >= kLeastMemory;
  return {enough ? State::present : State::absent, "memory", detail, "the demo wants 2 GB free"};
}

Finding mpi(const MpiSession& session) {
  return {State::present, "MPI", mpi_version() + ", this world has " + std::to_string(session.size()) + " ranks", ""};
}

Finding launcher() {
  const std::string path = find_program("mpirun");
  if (path.empty()) return {State::missing, "mpirun", "not in PATH", "apt-get install openmpi-bin"};
  const bool root = ::geteuid() == 0 && std::getenv("OMPI_ALLOW_RUN_AS_ROOT") == nullptr;
  if (!root) return {State::present, "mpirun", path, ""};
  return {State::absent, "mpirun", path + ", which refuses to be run by root",
          "in a container: export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"};
}

// A product proves that the libraries load and compute, not only that they were there at build time.
Finding libtorch() {
  try {
    const at::Tensor product = at::matmul(at::ones({8, 8}), at::ones({8, 8}));
    if (product.sum().item<double>() == 512.0) return {State::present, "libtorch", libtorch_version(), ""};
    return {State::missing, "libtorch", libtorch_version() + " computes a wrong product", "run `make setup` anew"};
  } catch (const std::exception& error) {
    return {State::missing, "libtorch", printable(error.what()), "run `make setup` anew"};
  }
}

Finding hdf5() { return {State::present, "HDF5", hdf5_version(), ""}; }

Finding gpu(const GpuSurvey& survey) {
  if (survey.gpus.empty()) {
    return {State::absent, "GPU", survey.problem,
            "nothing to do for CPU runs; else install NVIDIA's driver and pass the GPU in"};
  }
  std::string detail;
  for (const Gpu& found : survey.gpus) {
    detail += (detail.empty() ? "" : "; ") + found.name + " (" + byte_text(static_cast<double>(found.memory_bytes)) +
              ", compute " + std::to_string(found.compute_major) + "." + std::to_string(found.compute_minor) + ")";
  }
  return {State::present, "GPU", detail, ""};
}

Finding cuda(const GpuSurvey& survey) {
  if (survey.gpus.empty()) return {State::absent, "CUDA in libtorch", "not asked for without a GPU", ""};
  const std::string problem = load_cuda_support();
  if (problem.empty())
    return {State::present, "CUDA in libtorch", "driver supports CUDA " + std::to_string(survey.driver_version / 1000),
            ""};
  return {State::absent, "CUDA in libtorch", printable(problem),
          "device auto takes the CPU meanwhile; use PyPI's torch wheel with CUDA (`make setup`), or a newer driver"};
}

Finding nccl(const GpuSurvey& survey) {
  if (survey.gpus.empty())
    return {State::absent, "NCCL",
            std::string(nccl_backend_built() ? "built" : "not built: libtorch came without it") +
                ", not used without a GPU",
            ""};
  if (!load_cuda_support().empty()) return {State::absent, "NCCL", "needs CUDA in libtorch", ""};
  const std::string problem = nccl_problem();
  if (problem.empty()) return {State::present, "NCCL", "ranks with a GPU each talk over it", ""};
  return {State::absent, "NCCL", printable(problem),
          "rebuild where libtorch has NCCL's library and headers beside it; MPI is used meanwhile"};
}

}  // namespace

std::vector<Finding> examine_machine(const MpiSession& session) {
  const Hardware hardware = survey_hardware();
  const GpuSurvey gpus = survey_gpus();
  return {processor(hardware), memory(hardware), bfloat16(hardware), mpi(session), launcher(),
          libtorch(),          hdf5(),           gpu(gpus),          cuda(gpus),   nccl(gpus)};
}

std::string findings_text(const std::vector<Finding>& findings) {
  std::string text = version_text() + "\n";
  for (const Finding& finding : findings) {
    const char* mark = finding.state == State::present  ? "ok     "
                       : finding.state == State::absent ? "-      "
                                                        : "MISSING";
    text += std::string(mark) + "  " + finding.what +
            std::string(18 - std::min<std::size_t>(17, finding.what.size()), ' ') + finding.detail + "\n";
    if (finding.state != State::present && !finding.remedy.empty())
      text += std::string(27, ' ') + finding.remedy + "\n";
  }
  return text + (something_required_is_missing(findings) ? "\nSomething is missing that every run needs.\n"
                                                         : "\nEverything that is needed is here.\n");
}

bool something_required_is_missing(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.state == State::missing; });
}

}  // namespace rim
