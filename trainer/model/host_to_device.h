// Copies to the model's device that do not stop the host.
#pragma once

#include <ATen/core/Tensor.h>

namespace rim {

// `host`: a CPU tensor. To a GPU it goes through page-locked memory: from other memory a copy, asynchronous or not, may
// wait for what is queued on the device. The result is ordered as any work on the current stream.
inline at::Tensor host_to_device(const at::Tensor& host, at::Device device) {
  return device.is_cuda() ? host.pin_memory().to(device, host.scalar_type(), /*non_blocking=*/true) : host.to(device);
}

}  // namespace rim
