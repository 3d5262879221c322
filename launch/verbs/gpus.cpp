#include "launch/verbs/gpus.h"

#include <dlfcn.h>

#include <array>

#include "data/support/text.h"

namespace rim {
namespace {

// The driver API's signatures, as cuda.h declares them; that header is not needed for a few calls.
using Result = int;
using Device = int;
constexpr int kComputeMajor = 75;
constexpr int kComputeMinor = 76;
struct Uuid {
  std::array<unsigned char, 16> bytes;
};

class Driver {
 public:
  Driver() : library_(::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL)) {}
  [[nodiscard]] bool present() const { return library_ != nullptr; }

  template <typename... Arguments>
  bool call(const char* name, Arguments... arguments) const {
    auto* function = reinterpret_cast<Result (*)(Arguments...)>(::dlsym(library_, name));
    return function != nullptr && function(arguments...) == 0;
  }

 private:
  void* library_;  // never closed: libtorch uses the same driver for the life of the process
};

Gpu describe(const Driver& driver, Device device) {
  Gpu gpu;
  std::array<char, 256> name{};
  if (driver.call("cuDeviceGetName", name.data(), static_cast<int>(name.size()), device)) gpu.name = name.data();
  std::size_t bytes = 0;
  if (driver.call("cuDeviceTotalMem_v2", &bytes, device)) gpu.memory_bytes = static_cast<std::int64_t>(bytes);
  driver.call("cuDeviceGetAttribute", &gpu.compute_major, kComputeMajor, device);
  driver.call("cuDeviceGetAttribute", &gpu.compute_minor, kComputeMinor, device);
  Uuid uuid{};
  if (driver.call("cuDeviceGetUuid_v2", &uuid, device)) gpu.uuid = hexadecimal_digits(uuid.bytes);
  std::array<char, 32> address{};
  if (driver.call("cuDeviceGetPCIBusId", address.data(), static_cast<int>(address.size()), device)) {
    gpu.pci_address = address.data();
  }
  return gpu;
}

// The number that a library loaded into this process gives of itself; 0 where there is none.
int version_from(const char* function) {
  auto* ask = reinterpret_cast<int (*)(int*)>(::dlsym(RTLD_DEFAULT, function));
  int version = 0;
  return ask != nullptr && ask(&version) == 0 ? version : 0;
}

// 13000 -> "13.0", 12090 -> "12.9"
std::string cuda_version(int version) {
  return version == 0 ? "" : std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// 22705 -> "2.27.5", as nccl.h counts from 2.9 on
std::string nccl_version(int version) {
  if (version == 0) return "";
  return std::to_string(version / 10000) + "." + std::to_string(version % 10000 / 100) + "." +
         std::to_string(version % 100);
}

}  // namespace

CudaVersions cuda_versions(const GpuSurvey& survey) {
  if (survey.driver_version == 0) return {};
  return {.driver = cuda_version(survey.driver_version),
          .runtime = cuda_version(version_from("cudaRuntimeGetVersion")),
          .nccl = nccl_version(version_from("ncclGetVersion"))};
}

GpuSurvey survey_gpus() {
  GpuSurvey survey;
  const Driver driver;
  if (!driver.present()) {
    survey.problem = "no NVIDIA driver (libcuda.so.1)";
    return survey;
  }
  driver.call("cuDriverGetVersion", &survey.driver_version);
  int count = 0;
  if (!driver.call("cuInit", 0U) || !driver.call("cuDeviceGetCount", &count) || count == 0) {
    survey.problem =
        "the NVIDIA driver is there, but shows no GPU (CUDA_VISIBLE_DEVICES, or no device given to this container)";
    return survey;
  }
  for (int i = 0; i < count; ++i) {
    Device device = 0;
    if (driver.call("cuDeviceGet", &device, i)) survey.gpus.push_back(describe(driver, device));
  }
  return survey;
}

}  // namespace rim
