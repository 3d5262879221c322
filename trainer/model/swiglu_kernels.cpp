#include "trainer/model/swiglu_kernels.h"

namespace rim {
namespace {

RIM_INLINE float sigmoid(float x) { return 1.0F / (1.0F + fast_exp(-x)); }

template <typename T>
RIM_INLINE void forward(const SwigluInputs<T>& inputs, T* y, std::int64_t begin, std::int64_t end) {
  const T* const gate = inputs.gate;
  const T* const up = inputs.up;
#pragma omp simd
  for (std::int64_t i = begin; i < end; ++i) {
    const float g = to_float(gate[i]);
    y[i] = from_float<T>(rounded_to<T>(g * sigmoid(g)) * to_float(up[i]));
  }
}

// silu(g) = g s with s = sigmoid(g); its derivative is s (1 + g (1 - s)).
template <typename T>
RIM_INLINE void backward(const SwigluInputs<T>& inputs, const SwigluGradients<T>& gradients, std::int64_t begin,
                         std::int64_t end) {
  const T* const gate = inputs.gate;
  const T* const up = inputs.up;
  const T* const y_gradient = gradients.y;
  T* const gate_gradient = gradients.gate;
  T* const up_gradient = gradients.up;
#pragma omp simd
  for (std::int64_t i = begin; i < end; ++i) {
    const float g = to_float(gate[i]);
    const float s = sigmoid(g);
    const float incoming = to_float(y_gradient[i]);
    up_gradient[i] = from_float<T>(incoming * rounded_to<T>(g * s));
    gate_gradient[i] = from_float<T>(incoming * to_float(up[i]) * s * (1.0F + g * (1.0F - s)));
  }
}

}  // namespace

RIM_VECTORIZED void swiglu_elements(const SwigluInputs<float>& inputs, float* y, std::int64_t begin, std::int64_t end) {
  forward(inputs, y, begin, end);
}
RIM_VECTORIZED void swiglu_elements(const SwigluInputs<Bfloat16Bits>& inputs, Bfloat16Bits* y, std::int64_t begin,
                                    std::int64_t end) {
  forward(inputs, y, begin, end);
}
RIM_VECTORIZED void swiglu_elements_backward(const SwigluInputs<float>& inputs, const SwigluGradients<float>& gradients,
                                             std::int64_t begin, std::int64_t end) {
  backward(inputs, gradients, begin, end);
}
RIM_VECTORIZED void swiglu_elements_backward(const SwigluInputs<Bfloat16Bits>& inputs,
                                             const SwigluGradients<Bfloat16Bits>& gradients, std::int64_t begin,
                                             std::int64_t end) {
  backward(inputs, gradients, begin, end);
}

}  // namespace rim
