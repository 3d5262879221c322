// From projected queries or keys to attention's inputs.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/model/rope.h"

namespace rim {

// x: [batch, time, heads, head size]. Normalises each head where `norm_weight` is defined (Qwen3), rotates it by its
// position, and returns [batch, heads, time, head size]. x: any strides; norm_weight [head size], contiguous, and
// tables of x's dtype. Differentiable once in x and norm_weight.
at::Tensor prepare_heads(const at::Tensor& x, const at::Tensor& norm_weight, double epsilon,
                         const RotaryTables& tables);

}  // namespace rim
