// Rotary position embeddings (arXiv 2104.09864) in Hugging Face's layout: element i rotates with i + head_size / 2.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/model/model_config.h"

namespace rim {

// fp32 [head size / 2] on the CPU, with Llama 3.1's scaling where the config asks for it.
at::Tensor inverse_frequencies(const ModelConfig& config);

// Cosines and sines of each position's angles, computed in fp32 and rounded to `dtype`.
struct RotaryTables {
  at::Tensor cosines, sines;  // [rows, time, head size / 2]; rows is 1 where all sequences share positions
};
// positions: int64 [rows, time].
RotaryTables rotary_tables(const at::Tensor& inverse_frequencies, const at::Tensor& positions, at::ScalarType dtype);

// x: [batch, time, heads, head size]; returns the same shape. Differentiable.
at::Tensor rotate(const at::Tensor& x, const RotaryTables& tables);

}  // namespace rim
