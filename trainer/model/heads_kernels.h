// CPU loops that turn projected heads [batch, time, heads, head size] into attention's [batch, heads, time, head size]:
// optional root-mean-square normalisation of each head, rotation, transposition, in one pass. T: float or Bfloat16Bits.
#pragma once

#include <cstdint>

#include "trainer/model/simd.h"

namespace rim {

template <typename T>
struct HeadRows {
  const T* x;       // [batch, time, heads, head size]; needed backward only with a norm
  const T* weight;  // [head size]; null: no norm
  float* scales;    // [batch, time, heads]; null without a norm
  float epsilon;
  const T* cosines;  // [batch or 1, time, head size / 2]
  const T* sines;
  std::int64_t time, heads, head_size;
  std::int64_t table_stride;  // between batch rows of the tables; 0 where all share one
};

// Rows are (batch, time) pairs, batch-major. `scratch`: head size floats for each caller.
void rotate_head_rows(const HeadRows<float>& rows, float* y, float* scratch, std::int64_t begin, std::int64_t end);
void rotate_head_rows(const HeadRows<Bfloat16Bits>& rows, Bfloat16Bits* y, float* scratch, std::int64_t begin,
                      std::int64_t end);

// From y's gradient [batch, heads, time, head size]: x's, and the weight's added to weight_gradient [head size].
void rotate_head_rows_backward(const HeadRows<float>& rows, const float* y_gradient, float* x_gradient,
                               float* weight_gradient, float* scratch, std::int64_t begin, std::int64_t end);
void rotate_head_rows_backward(const HeadRows<Bfloat16Bits>& rows, const Bfloat16Bits* y_gradient,
                               Bfloat16Bits* x_gradient, float* weight_gradient, float* scratch, std::int64_t begin,
                               std::int64_t end);

}  // namespace rim
