// The NCCL backend as a library: it can be opened, and what it throws is caught here, with or without a GPU.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/trainer/alone.h"
#include "trainer/parallel/nccl_backend.h"

namespace {

using namespace rim;
using ::testing::HasSubstr;

TEST(CudaLoading, WithoutANvidiaDriverNcclIsAbsentAndSaysWhy) {
  if (::dlopen("libcuda.so.1", RTLD_NOW) != nullptr) GTEST_SKIP() << "this machine has an NVIDIA driver";
  EXPECT_THAT(load_cuda_support(), HasSubstr("no NVIDIA driver"));
  EXPECT_THAT(nccl_problem(), HasSubstr("no NVIDIA driver"));
  try {
    make_nccl_communicator(std::make_unique<rim::testing::AloneCommunicator>(), 0, {});
    FAIL() << "there is no driver";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_THAT(error.what(), HasSubstr("no NVIDIA driver"));
  }
}

TEST(CudaLoading, BackendOpensAndItsErrorsCrossTheLibrary) {
  const auto library = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "../lib" / kNcclBackendLibrary;
  if (!std::filesystem::exists(library)) GTEST_SKIP() << "built without the NCCL backend: " << library;
  void* handle = ::dlopen(library.c_str(), RTLD_NOW);
  ASSERT_NE(handle, nullptr) << ::dlerror();
  const auto entry = reinterpret_cast<decltype(&rim_nccl_backend)>(::dlsym(handle, kNcclBackendSymbol));
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry()->interface_version, kNcclBackendInterface);
  const int absent_device = entry()->device_count();
  EXPECT_THROW(entry()->make(std::make_unique<rim::testing::AloneCommunicator>(), absent_device, {}), Error);
}

}  // namespace
