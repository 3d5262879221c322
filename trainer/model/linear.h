// The affine maps between a decoder's parts.
#pragma once

#include <ATen/core/Tensor.h>

namespace rim {

// x [..., inner] times transposed weight [outer, inner], plus bias [outer] where defined. Differentiable once; only the
// gradients that are asked for are computed.
at::Tensor linear_layer(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});

// One of a model's affine maps.
struct Projection {
  at::Tensor weight, bias;  // bias may be undefined
  at::Tensor operator()(const at::Tensor& x) const { return linear_layer(x, weight, bias); }
};

}  // namespace rim
