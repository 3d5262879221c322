// The gated activation of the MLP block (arXiv 2002.05202).
#pragma once

#include <ATen/core/Tensor.h>

namespace rim {

// silu(gate) * up, element by element; silu's result is rounded to the dtype before the product, as transformers does.
// Both of one shape and dtype, any strides. Differentiable once.
at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up);

}  // namespace rim
