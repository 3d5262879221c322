// Cross-entropy of a language-model head without ever holding all logits (after "cut cross-entropy", arXiv 2411.09009:
// here in chunks of positions, with the gradient computed while the chunk's logits are at hand).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace rim {

inline constexpr std::int64_t kIgnoredTarget = -100;

// Sum over positions with target != kIgnoredTarget of -log softmax(hidden @ head^T)[target].
// hidden: [positions, width]; head: [vocabulary, width], same dtype; targets: int64 [positions], best on the CPU, where
// they are checked and the trained positions found: from a GPU they are fetched first, and the host waits for it.
// Returns an fp32 scalar. Log-sum-exp is fp32. Ignored positions cost nothing. Differentiable once (not twice) in
// hidden and head. Throws Error(bad_data) for a target outside the vocabulary.
at::Tensor cross_entropy_sum(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets);

// Positions whose logits are held at once. Each chunk makes a product of the head's size and adds it to the head's
// gradient, so few rows are slow: one step of the loss takes 64 rows 1.7 to 1.9 times (fp32) or 3.1 times (bf16) as
// long as 512 at vocabularies of 49,152 and 151,936 (measured on two cores). Many rows take memory, `vocabulary`
// numbers each.
std::int64_t cross_entropy_chunk_rows(std::int64_t vocabulary);

}  // namespace rim
