#include "trainer/model/rms_norm_kernels.h"

#include "trainer/model/rms_norm_row.h"

namespace rim {
namespace {

template <typename T>
RIM_INLINE void forward(const RmsNormRows<T>& norm, T* y, std::int64_t begin, std::int64_t end) {
  const T* const weight = norm.weight;
  for (std::int64_t row = begin; row < end; ++row) {
    const T* const x = norm.x + row * norm.width;
    T* const out = y + row * norm.width;
    const float scale = inverse_root_mean_square(x, norm.width, norm.epsilon);
    norm.scales[row] = scale;
#pragma omp simd
    for (std::int64_t i = 0; i < norm.width; ++i) {
      out[i] = from_float<T>(to_float(weight[i]) * rounded_to<T>(to_float(x[i]) * scale));
    }
  }
}

template <typename T>
RIM_INLINE void backward(const RmsNormRows<T>& norm, const T* y_gradient, T* x_gradient, float* weight_gradient,
                         std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t start = row * norm.width;
    rms_norm_row_backward(norm.x + start, norm.weight, norm.scales[row], y_gradient + start, x_gradient + start,
                          weight_gradient, norm.width);
  }
}

}  // namespace

RIM_VECTORIZED void rms_norm_rows(const RmsNormRows<float>& norm, float* y, std::int64_t begin, std::int64_t end) {
  forward(norm, y, begin, end);
}
RIM_VECTORIZED void rms_norm_rows(const RmsNormRows<Bfloat16Bits>& norm, Bfloat16Bits* y, std::int64_t begin,
                                  std::int64_t end) {
  forward(norm, y, begin, end);
}
RIM_VECTORIZED void rms_norm_rows_backward(const RmsNormRows<float>& norm, const float* y_gradient, float* x_gradient,
                                           float* weight_gradient, std::int64_t begin, std::int64_t end) {
  backward(norm, y_gradient, x_gradient, weight_gradient, begin, end);
}
RIM_VECTORIZED void rms_norm_rows_backward(const RmsNormRows<Bfloat16Bits>& norm, const Bfloat16Bits* y_gradient,
                                           Bfloat16Bits* x_gradient, float* weight_gradient, std::int64_t begin,
                                           std::int64_t end) {
  backward(norm, y_gradient, x_gradient, weight_gradient, begin, end);
}

}  // namespace rim
