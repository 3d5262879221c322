// Building blocks of the CPU kernels (*_kernels.cpp, compiled with -O3 -fopenmp-simd): plain loops that the compiler
// turns into vector code, once for each instruction set, chosen when the program is loaded.
#pragma once

#include <bit>
#include <cstdint>

// On a kernel's definition. Loops inside it and inside always_inline callees become vector code.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define RIM_VECTORIZED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else  // other processors vectorize for their baseline; sanitizers instrument the choosing code, which runs too early
#define RIM_VECTORIZED
#endif

#define RIM_INLINE [[gnu::always_inline]] inline

namespace rim {

// The bits of a bfloat16; kernels take these so that they need no libtorch header.
struct Bfloat16Bits {
  std::uint16_t bits;
};

RIM_INLINE float to_float(float value) { return value; }
RIM_INLINE float to_float(Bfloat16Bits value) { return std::bit_cast<float>(std::uint32_t{value.bits} << 16U); }

// Rounds to nearest even, as libtorch does.
template <typename T>
T from_float(float value);
template <>
RIM_INLINE float from_float<float>(float value) {
  return value;
}
template <>
RIM_INLINE Bfloat16Bits from_float<Bfloat16Bits>(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U;
  const bool is_nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
  return {static_cast<std::uint16_t>(is_nan ? 0x7FC0U : rounded)};
}

// The value as it is after storing and loading.
template <typename T>
RIM_INLINE float rounded_to(float value) {
  return to_float(from_float<T>(value));
}

// e^x with a relative error below 2e-7; 0 below -87, held at e^88 above it; NaN stays NaN. Degree-6 Taylor polynomial
// on
// [-ln2/2, ln2/2] after Cody and Waite's range reduction.
RIM_INLINE float fast_exp(float x) {
  constexpr float kLog2E = 1.44269504088896341F;
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  constexpr float kRoundingShift = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  const float clamped = x > 88.0F ? 88.0F : x;
  const float shifted = clamped * kLog2E + kRoundingShift;
  const float whole = shifted - kRoundingShift;
  const float rest = (clamped - whole * kLn2High) - whole * kLn2Low;
  float series = 1.0F / 720.0F;
  series = series * rest + 1.0F / 120.0F;
  series = series * rest + 1.0F / 24.0F;
  series = series * rest + 1.0F / 6.0F;
  series = series * rest + 0.5F;
  series = series * rest + 1.0F;
  series = series * rest + 1.0F;
  const std::uint32_t exponent = (std::bit_cast<std::uint32_t>(shifted) - 0x4B400000U + 127U) << 23U;
  return x < -87.0F ? 0.0F : series * std::bit_cast<float>(exponent);
}

}  // namespace rim
