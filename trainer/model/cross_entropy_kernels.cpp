#include "trainer/model/cross_entropy_kernels.h"

#include <cmath>

namespace rim {
namespace {

// log(sum(exp(row))), shifted by the largest value so that nothing overflows.
template <typename T>
RIM_INLINE float log_sum_exp(const T* row, std::int64_t count) {
  float largest = -INFINITY;
#pragma omp simd reduction(max : largest)
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = to_float(row[i]);
    largest = value > largest ? value : largest;
  }
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += fast_exp(to_float(row[i]) - largest);
  return largest + std::log(sum);
}

template <typename T>
RIM_INLINE double loss_of_rows(const LogitRows<T>& rows, std::int64_t begin, std::int64_t end) {
  double loss = 0;
  for (std::int64_t r = begin; r < end; ++r) {
    T* const row = rows.logits + r * rows.vocabulary;
    const float normalizer = log_sum_exp(row, rows.vocabulary);
    const std::int64_t target = rows.targets[r];
    const float log_probability = to_float(row[target]) - normalizer;
    loss -= static_cast<double>(log_probability);
    if (!rows.want_gradient) continue;
#pragma omp simd
    for (std::int64_t i = 0; i < rows.vocabulary; ++i) row[i] = from_float<T>(fast_exp(to_float(row[i]) - normalizer));
    row[target] = from_float<T>(std::expm1(log_probability));  // p - 1 without cancellation
  }
  return loss;
}

}  // namespace

RIM_VECTORIZED double cross_entropy_rows(const LogitRows<float>& rows, std::int64_t begin, std::int64_t end) {
  return loss_of_rows(rows, begin, end);
}
RIM_VECTORIZED double cross_entropy_rows(const LogitRows<Bfloat16Bits>& rows, std::int64_t begin, std::int64_t end) {
  return loss_of_rows(rows, begin, end);
}

}  // namespace rim
