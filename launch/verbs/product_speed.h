// Whether bfloat16 pays on this processor: not every one with the instructions is faster by them (an Intel Xeon with
// avx512_bf16 and without AMX took 1.8 times float32's time).
#pragma once

namespace rim {

// Processor seconds of one matrix product as the decoder computes it, on this process's threads.
struct ProductTimes {
  double float32 = 0;
  double bfloat16 = 0;
};

// The fastest of some, float32 and bfloat16 in turns; a few tenths of a second. Local.
ProductTimes time_products();

}  // namespace rim
