// CPU loops of the cross-entropy over rows [begin, end) of logits. T: float or Bfloat16Bits.
#pragma once

#include <cstdint>

#include "trainer/model/simd.h"

namespace rim {

template <typename T>
struct LogitRows {
  T* logits;                    // [rows, vocabulary]
  const std::int64_t* targets;  // [rows]
  std::int64_t vocabulary;
  bool want_gradient;  // then the logits are overwritten by the loss's gradient, softmax - one-hot
};

// Returns the rows' sum of -log softmax(logits)[target].
double cross_entropy_rows(const LogitRows<float>& rows, std::int64_t begin, std::int64_t end);
double cross_entropy_rows(const LogitRows<Bfloat16Bits>& rows, std::int64_t begin, std::int64_t end);

}  // namespace rim
