// CPU loops of swiglu over elements [begin, end). T: float or Bfloat16Bits.
#pragma once

#include <cstdint>

#include "trainer/model/simd.h"

namespace rim {

template <typename T>
struct SwigluInputs {
  const T* gate;
  const T* up;
};

void swiglu_elements(const SwigluInputs<float>& inputs, float* y, std::int64_t begin, std::int64_t end);
void swiglu_elements(const SwigluInputs<Bfloat16Bits>& inputs, Bfloat16Bits* y, std::int64_t begin, std::int64_t end);

template <typename T>
struct SwigluGradients {
  const T* y;
  T* gate;
  T* up;
};

void swiglu_elements_backward(const SwigluInputs<float>& inputs, const SwigluGradients<float>& gradients,
                              std::int64_t begin, std::int64_t end);
void swiglu_elements_backward(const SwigluInputs<Bfloat16Bits>& inputs, const SwigluGradients<Bfloat16Bits>& gradients,
                              std::int64_t begin, std::int64_t end);

}  // namespace rim
