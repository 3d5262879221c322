#include "trainer/model/rope.h"

#include <ATen/ATen.h>

#include <numbers>

namespace rim {
namespace {

// Wavelengths above the low-frequency bound are stretched by `factor`, those below the high-frequency bound are kept,
// and those between are blended (transformers, modeling_rope_utils, "llama3"; same order of operations).
at::Tensor scale_frequencies(const at::Tensor& frequencies, const LlamaRopeScaling& scaling) {
  const auto context = static_cast<double>(scaling.original_max_position_embeddings);
  const double low = scaling.low_frequency_factor;
  const double high = scaling.high_frequency_factor;
  const at::Tensor wavelength = 2 * std::numbers::pi / frequencies;
  const at::Tensor is_long = wavelength > context / low;
  const at::Tensor stretched = at::where(is_long, frequencies / scaling.factor, frequencies);
  const at::Tensor blend = (context / wavelength - low) / (high - low);
  const at::Tensor blended = (1 - blend) * stretched / scaling.factor + blend * stretched;
  const at::Tensor is_between = (wavelength >= context / high).logical_and(is_long.logical_not());
  return at::where(is_between, blended, stretched);
}

}  // namespace

at::Tensor inverse_frequencies(const ModelConfig& config) {
  const at::Tensor steps = at::arange(0, config.head_size, 2, at::kFloat) / config.head_size;
  const at::Tensor frequencies = 1.0 / at::pow(config.rope_theta, steps);
  return config.rope_scaling ? scale_frequencies(frequencies, *config.rope_scaling) : frequencies;
}

RotaryTables rotary_tables(const at::Tensor& inverse_frequencies, const at::Tensor& positions, at::ScalarType dtype) {
  const at::Tensor angles = positions.unsqueeze(-1).to(at::kFloat) * inverse_frequencies;
  return {angles.cos().to(dtype), angles.sin().to(dtype)};
}

at::Tensor rotate(const at::Tensor& x, const RotaryTables& tables) {
  const std::int64_t half = x.size(-1) / 2;
  const at::Tensor cosines = tables.cosines.unsqueeze(2);
  const at::Tensor sines = tables.sines.unsqueeze(2);
  const at::Tensor first = x.narrow(-1, 0, half);
  const at::Tensor second = x.narrow(-1, half, half);
  return at::cat({first * cosines - second * sines, second * cosines + first * sines}, -1);
}

}  // namespace rim
