#include "trainer/model/attention_kernels.h"

#include <algorithm>
#include <cmath>

namespace rim {
namespace {

// The keys of the block that query row `row` sees: [begin, end).
struct SeenKeys {
  RIM_INLINE SeenKeys(const ScoreBlock& block, std::int64_t row) {
    const std::int64_t position = block.first_query + row;
    end = std::min(block.keys, position + 1 - block.first_key);
    begin = std::max<std::int64_t>(0, position + 1 - block.window - block.first_key);
  }
  std::int64_t begin, end;
};

template <typename T>
RIM_INLINE void clear_unseen(T* row, const SeenKeys& seen, std::int64_t keys) {
  for (std::int64_t i = 0; i < seen.begin; ++i) row[i] = from_float<T>(0.0F);
  for (std::int64_t i = seen.end; i < keys; ++i) row[i] = from_float<T>(0.0F);
}

template <typename T>
RIM_INLINE void softmax_rows(const ScoreBlock& block, T* pattern) {
  for (std::int64_t r = 0; r < block.queries; ++r) {
    float* const scores = block.scores + r * block.keys;
    T* const out = pattern + r * block.keys;
    const SeenKeys seen(block, r);
    float largest = -INFINITY;
#pragma omp simd reduction(max : largest)
    for (std::int64_t i = seen.begin; i < seen.end; ++i) largest = scores[i] > largest ? scores[i] : largest;
    const float shift = largest * block.scale;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = seen.begin; i < seen.end; ++i) {
      scores[i] = fast_exp(scores[i] * block.scale - shift);
      sum += scores[i];
    }
    const float factor = 1.0F / sum;
#pragma omp simd
    for (std::int64_t i = seen.begin; i < seen.end; ++i) out[i] = from_float<T>(scores[i] * factor);
    clear_unseen(out, seen, block.keys);
    block.log_sums[r] = shift + std::log(sum);
  }
}

template <typename T>
RIM_INLINE void softmax_rows_backward(const ScoreBlock& block, const float* pattern_gradient, T* pattern,
                                      T* score_gradient) {
  for (std::int64_t r = 0; r < block.queries; ++r) {
    float* const scores = block.scores + r * block.keys;
    const float* const incoming = pattern_gradient + r * block.keys;
    T* const weights = pattern + r * block.keys;
    T* const out = score_gradient + r * block.keys;
    const SeenKeys seen(block, r);
    const float log_sum = block.log_sums[r];
    float dot = 0;
#pragma omp simd reduction(+ : dot)
    for (std::int64_t i = seen.begin; i < seen.end; ++i) {
      scores[i] = fast_exp(scores[i] * block.scale - log_sum);
      dot += scores[i] * incoming[i];
    }
#pragma omp simd
    for (std::int64_t i = seen.begin; i < seen.end; ++i) {
      const float weight = scores[i];
      const float gradient = weight * (incoming[i] - dot) * block.scale;
      weights[i] = from_float<T>(weight);
      out[i] = from_float<T>(gradient);
    }
    clear_unseen(weights, seen, block.keys);
    clear_unseen(out, seen, block.keys);
  }
}

template <typename T>
RIM_INLINE void add_rows(float* sum, std::int64_t stride, const T* addend, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t r = 0; r < rows; ++r) {
    float* const into = sum + r * stride;
    const T* const from = addend + r * columns;
#pragma omp simd
    for (std::int64_t i = 0; i < columns; ++i) into[i] += to_float(from[i]);
  }
}

}  // namespace

RIM_VECTORIZED void softmax_block(const ScoreBlock& block, float* pattern) { softmax_rows(block, pattern); }
RIM_VECTORIZED void softmax_block(const ScoreBlock& block, Bfloat16Bits* pattern) { softmax_rows(block, pattern); }
RIM_VECTORIZED void softmax_block_backward(const ScoreBlock& block, const float* pattern_gradient, float* pattern,
                                           float* score_gradient) {
  softmax_rows_backward(block, pattern_gradient, pattern, score_gradient);
}
RIM_VECTORIZED void softmax_block_backward(const ScoreBlock& block, const float* pattern_gradient,
                                           Bfloat16Bits* pattern, Bfloat16Bits* score_gradient) {
  softmax_rows_backward(block, pattern_gradient, pattern, score_gradient);
}
RIM_VECTORIZED void add_block(float* sum, std::int64_t stride, const float* addend, std::int64_t rows,
                              std::int64_t columns) {
  add_rows(sum, stride, addend, rows, columns);
}
RIM_VECTORIZED void add_block(float* sum, std::int64_t stride, const Bfloat16Bits* addend, std::int64_t rows,
                              std::int64_t columns) {
  add_rows(sum, stride, addend, rows, columns);
}

}  // namespace rim
