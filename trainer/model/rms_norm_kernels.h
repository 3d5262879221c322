// CPU loops of rms_norm over rows [begin, end). T: float or Bfloat16Bits.
#pragma once

#include <cstdint>

#include "trainer/model/simd.h"

namespace rim {

template <typename T>
struct RmsNormRows {
  const T* x;       // [rows, width]
  const T* weight;  // [width]
  float* scales;    // [rows]: 1 / root mean square; written forward, read backward
  std::int64_t width;
  float epsilon;
};

// y: [rows, width].
void rms_norm_rows(const RmsNormRows<float>& norm, float* y, std::int64_t begin, std::int64_t end);
void rms_norm_rows(const RmsNormRows<Bfloat16Bits>& norm, Bfloat16Bits* y, std::int64_t begin, std::int64_t end);

// From the gradient of y: that of x, and the rows' sum of the weight's, added to weight_gradient [width].
void rms_norm_rows_backward(const RmsNormRows<float>& norm, const float* y_gradient, float* x_gradient,
                            float* weight_gradient, std::int64_t begin, std::int64_t end);
void rms_norm_rows_backward(const RmsNormRows<Bfloat16Bits>& norm, const Bfloat16Bits* y_gradient,
                            Bfloat16Bits* x_gradient, float* weight_gradient, std::int64_t begin, std::int64_t end);

}  // namespace rim
