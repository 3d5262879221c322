// Root-mean-square normalisation (arXiv 1910.07467).
#pragma once

#include <ATen/core/Tensor.h>

namespace rim {

// x / sqrt(mean(x^2) + epsilon) * weight over the last dimension. Statistics and the normalised value are fp32; the
// value is rounded to x's dtype before the product with the weight, as transformers does. x: any strides; weight:
// contiguous, of x's dtype. Differentiable once.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon);

}  // namespace rim
