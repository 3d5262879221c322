// Causal scaled dot-product attention with grouped key-value heads, sliding windows, and visible softmax weights.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>

namespace rim {

struct AttentionInputs {
  at::Tensor query;  // [batch, heads, time, head size]
  at::Tensor key;    // [batch, key-value heads, key time, head size]
  at::Tensor value;  // as key
  // Position of each query in its row, int64 [batch, time]; undefined: query t is at position t and time = key time.
  // Keys are at positions 0, 1, ...; a query sees keys at its own and earlier positions.
  at::Tensor positions;
  std::optional<std::int64_t> window;  // a query sees this many positions, its own among them
};

// May read or replace the softmax weights [batch, heads, time, key time].
using PatternEditor = std::function<void(at::Tensor&)>;

// Returns [batch, time, heads * head size], contiguous. With `edit_pattern` the weights are computed explicitly (fp32
// softmax, rounded to the inputs' dtype, as transformers' eager attention). Differentiable once.
at::Tensor attend(const AttentionInputs& inputs, const PatternEditor& edit_pattern = nullptr);

// libtorch's fused kernels, for attend() and its tests: [batch, heads, time, head size]. `copy_heads`: key-value heads
// are copied for each query head, instead of being shared by their group inside the kernel.
at::Tensor attend_fused(const AttentionInputs& inputs, bool copy_heads);

}  // namespace rim
