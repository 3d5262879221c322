// The affine maps between a decoder's parts.
#pragma once

#include <ATen/core/Tensor.h>

namespace rim {

// x [..., inner] times transposed weight [outer, inner], plus bias [outer] where defined. Differentiable once; only the
// gradients that are asked for are computed.
at::Tensor linear_layer(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});

}  // namespace rim
