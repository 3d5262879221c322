// Matrix products. On the CPU all go through oneDNN: libtorch's own choice for fp32, MKL, uses half the vector width on
// AMD's processors (measured on one core with AVX-512: 103 GFLOP/s against oneDNN's 230); for bf16 it takes oneDNN
// itself.
#pragma once

#include <ATen/core/Tensor.h>

namespace rim {

// a [rows, inner] times transposed b [columns, inner]: [rows, columns]. Any strides; `bias` [columns] may be undefined.
// Records no gradient.
at::Tensor product_with_transposed(const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias = {});

// a [rows, inner] times b [inner, columns].
at::Tensor matrix_product(const at::Tensor& a, const at::Tensor& b);

}  // namespace rim
