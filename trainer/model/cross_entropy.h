// Cross-entropy of a language-model head without ever holding all logits (after "cut cross-entropy", arXiv 2411.09009:
// here in chunks of positions, with the gradient computed while the chunk's logits are at hand).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace rim {

inline constexpr std::int64_t kIgnoredTarget = -100;

// Sum over positions with target != kIgnoredTarget of -log softmax(hidden @ head^T)[target].
// hidden: [positions, width]; head: [vocabulary, width], same dtype; targets: int64 [positions].
// Returns an fp32 scalar. Log-sum-exp is fp32. Ignored positions cost nothing. Differentiable once (not twice) in
// hidden and head. Throws Error(bad_data) for a target outside the vocabulary. On GPUs the host waits for
// the device, as it does to find the trained positions.
at::Tensor cross_entropy_sum(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets);

}  // namespace rim
