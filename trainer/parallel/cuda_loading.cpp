// Opens the CUDA half of libtorch and the NCCL backend at run time.
#include <ATen/Context.h>
#include <c10/core/UndefinedTensorImpl.h>
#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "trainer/parallel/communicator.h"
#include "trainer/parallel/nccl_backend.h"

namespace rim {
namespace {

std::string last_dl_error() {
  const char* reason = ::dlerror();
  return reason == nullptr ? "unknown reason" : reason;
}

// Never closed: libtorch registers its kernels, and the backend its classes, for the life of the process.
void* open_library(const std::string& name, int visibility) { return ::dlopen(name.c_str(), RTLD_NOW | visibility); }

bool driver_present() { return open_library("libcuda.so.1", RTLD_LOCAL) != nullptr; }

// The folder of the libtorch that is already loaded, so that both halves are of one version.
std::filesystem::path libtorch_folder() {
  Dl_info info{};
  const void* inside_c10 = c10::UndefinedTensorImpl::singleton();
  if (::dladdr(inside_c10, &info) == 0 || info.dli_fname == nullptr) return {};
  return std::filesystem::path(info.dli_fname).parent_path();
}

std::vector<std::string> backend_candidates() {
  std::error_code ignored;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  return {folder / ".." / "lib" / kNcclBackendLibrary, folder / kNcclBackendLibrary, kNcclBackendLibrary};
}

struct OpenedBackend {
  const NcclBackend* backend = nullptr;
  std::string problem;  // why there is none
};

OpenedBackend open_backend() {
  std::string problem = load_cuda_support();
  if (!problem.empty()) return {nullptr, problem};
  for (const std::string& candidate : backend_candidates()) {
    void* library = open_library(candidate, RTLD_LOCAL);
    if (library == nullptr) {
      // The error of a library that is there but cannot be loaded says more than "no such file".
      if (const std::string reason = last_dl_error(); problem.empty() || std::filesystem::exists(candidate)) {
        problem = reason;
      }
      continue;
    }
    auto* entry = reinterpret_cast<decltype(&rim_nccl_backend)>(::dlsym(library, kNcclBackendSymbol));
    if (entry == nullptr) return {nullptr, candidate + " has no " + kNcclBackendSymbol};
    const NcclBackend* backend = entry();
    if (backend->interface_version != kNcclBackendInterface) {
      return {nullptr, candidate + " belongs to another build of RIMscope"};
    }
    if (backend->device_count() == 0) return {nullptr, "the NCCL backend finds no CUDA device"};
    return {backend, {}};
  }
  return {nullptr, problem};
}

}  // namespace

std::string load_cuda_support() {
  if (!driver_present()) return "no NVIDIA driver (libcuda.so.1)";
  const std::filesystem::path library = libtorch_folder() / "libtorch_cuda.so";
  if (!std::filesystem::exists(library)) return "this libtorch has no CUDA half";
  if (open_library(library, RTLD_GLOBAL) == nullptr) return "libtorch's CUDA half does not load: " + last_dl_error();
  return at::hasCUDA() ? "" : "libtorch's CUDA half finds no GPU that it can use; is the driver too old for it?";
}

bool nccl_backend_built() {
  return std::ranges::any_of(backend_candidates(), [](const std::string& path) { return std::filesystem::exists(path); });
}

std::string nccl_problem() { return open_backend().problem; }

std::unique_ptr<Communicator> make_nccl_communicator(std::unique_ptr<Communicator> host, int cuda_device,
                                                     const CommunicatorOptions& options) {
  const OpenedBackend opened = open_backend();
  if (opened.backend == nullptr) {
    throw Error(ExitCode::config, "NCCL cannot be used: " + opened.problem + ". Use the CPU, or the MPI communicator");
  }
  return opened.backend->make(std::move(host), cuda_device, options);
}

}  // namespace rim
