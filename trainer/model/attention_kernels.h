// CPU loops between the matrix products of blockwise causal attention. T: float or Bfloat16Bits.
#pragma once

#include <cstdint>

#include "trainer/model/simd.h"

namespace rim {

// Scores of consecutive queries of one head against keys [first_key, first_key + keys). Query row r is at position
// first_query + r and sees the keys from `window` - 1 before its own position up to its own.
struct ScoreBlock {
  float* scores;  // [queries, keys]: query . key, not yet scaled
  std::int64_t queries, keys, first_query, first_key, window;
  float scale;
  float* log_sums;  // [queries]: log of the sum of exp(scaled scores); written forward, read backward
};

// Softmax weights, zero where a key is not seen. For float, `pattern` may be block.scores itself.
void softmax_block(const ScoreBlock& block, float* pattern);
void softmax_block(const ScoreBlock& block, Bfloat16Bits* pattern);

// The softmax weights again from the scores, and the gradient of the unscaled scores from that of the weights:
// scale * p * (g - sum(p g)). Both outputs [queries, keys]; for float they may be the inputs' memory.
void softmax_block_backward(const ScoreBlock& block, const float* pattern_gradient, float* pattern,
                            float* score_gradient);
void softmax_block_backward(const ScoreBlock& block, const float* pattern_gradient, Bfloat16Bits* pattern,
                            Bfloat16Bits* score_gradient);

// sum[row, column] += addend[row, column]; `sum` has rows `stride` apart, `addend` is contiguous.
void add_block(float* sum, std::int64_t stride, const float* addend, std::int64_t rows, std::int64_t columns);
void add_block(float* sum, std::int64_t stride, const Bfloat16Bits* addend, std::int64_t rows, std::int64_t columns);

}  // namespace rim
