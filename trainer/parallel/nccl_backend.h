// The seam between the executable, which links only libtorch's CPU half, and librimscope_nccl.so, which links the CUDA
// half and NCCL and is opened with dlopen.
#pragma once

#include <memory>

#include "trainer/parallel/communicator.h"

namespace rim {

// Both sides are built from this header; the number is raised with each change here or in Communicator.
inline constexpr int kNcclBackendInterface = 2;

struct NcclBackend {
  int interface_version = kNcclBackendInterface;
  // CUDA devices that answer; 0 where the driver does not.
  int (*device_count)() = nullptr;
  std::unique_ptr<Communicator> (*make)(std::unique_ptr<Communicator> host, int cuda_device,
                                        const CommunicatorOptions& options) = nullptr;
};

inline constexpr const char* kNcclBackendLibrary = "librimscope_nccl.so";
inline constexpr const char* kNcclBackendSymbol = "rim_nccl_backend";

}  // namespace rim

// The library's one entry point.
extern "C" const rim::NcclBackend* rim_nccl_backend();
