// Between tensors and the CPU kernels' raw pointers.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/model/simd.h"

namespace rim {

// The kernels are written for these; everything else goes through ATen's operators.
inline bool has_cpu_kernels(const at::Tensor& tensor) {
  return tensor.is_cpu() && (tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kBFloat16);
}

template <typename T>
const T* input_pointer(const at::Tensor& contiguous) {
  return static_cast<const T*>(contiguous.const_data_ptr());
}
template <typename T>
T* output_pointer(const at::Tensor& contiguous) {
  return static_cast<T*>(contiguous.mutable_data_ptr());
}

// Calls work(T{}) with the kernels' type for the dtype.
template <typename Work>
void with_kernel_type(at::ScalarType dtype, const Work& work) {
  if (dtype == at::kFloat) {
    work(float{});
  } else {
    work(Bfloat16Bits{});
  }
}

}  // namespace rim
