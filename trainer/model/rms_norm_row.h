// One row of root-mean-square normalisation, shared by the kernels of rms_norm and of the attention heads.
#pragma once

#include <cmath>
#include <cstdint>

#include "trainer/model/simd.h"

namespace rim {

template <typename T>
RIM_INLINE float inverse_root_mean_square(const T* x, std::int64_t width, float epsilon) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < width; ++i) sum += to_float(x[i]) * to_float(x[i]);
  return 1.0F / std::sqrt(sum / static_cast<float>(width) + epsilon);
}

// With n = x * scale and y = n * weight: dL/dx = scale * (g - n * mean(g * n)) where g = dL/dy * weight. Adds
// dL/dweight.
template <typename T, typename Gradient>
RIM_INLINE void rms_norm_row_backward(const T* x, const T* weight, float scale, const Gradient* y_gradient,
                                      T* x_gradient, float* weight_gradient, std::int64_t width) {
  float dot = 0;
#pragma omp simd reduction(+ : dot)
  for (std::int64_t i = 0; i < width; ++i) {
    const float normal = to_float(x[i]) * scale;
    const float incoming = to_float(y_gradient[i]);
    weight_gradient[i] += incoming * rounded_to<T>(normal);
    dot += incoming * to_float(weight[i]) * normal;
  }
  const float mean = dot / static_cast<float>(width);
#pragma omp simd
  for (std::int64_t i = 0; i < width; ++i) {
    const float normal = to_float(x[i]) * scale;
    x_gradient[i] = from_float<T>(scale * (to_float(y_gradient[i]) * to_float(weight[i]) - normal * mean));
  }
}

}  // namespace rim
