#include "monitors/core/neuron_scaling.h"

#include <ATen/ops/ones.h>

#include "data/support/error.h"

namespace rim {

NeuronScaling::NeuronScaling(const Intervention& intervention, const ModelConfig& config,
                             const at::TensorOptions& options) {
  for (const auto& [layer, neuron] : intervention.neurons) {
    if (layer < 0 || layer >= config.layers || neuron < 0 || neuron >= config.intermediate_size) {
      throw Error(ExitCode::config, "an intervention names neuron " + std::to_string(neuron) + " of layer " +
                                        std::to_string(layer) + ", and the model has " + std::to_string(config.layers) +
                                        " layers of " + std::to_string(config.intermediate_size));
    }
    auto [factor, fresh] = factors_.try_emplace(layer);
    if (fresh) factor->second = at::ones({config.intermediate_size}, options);
    factor->second.select(0, neuron).fill_(intervention.scale);
  }
}

bool NeuronScaling::wants(TapSite site, std::int64_t layer) const {
  return site == TapSite::neurons && factors_.contains(layer);
}

void NeuronScaling::at(TapSite site, std::int64_t layer, at::Tensor& value) {
  if (wants(site, layer)) value = value.mul(factors_.at(layer));
}

std::optional<NeuronScaling> neuron_scaling(const Intervention& intervention, const Decoder& model) {
  if (intervention.neurons.empty()) return std::nullopt;
  return NeuronScaling(intervention, model.config(), at::TensorOptions().dtype(model.dtype()).device(model.device()));
}

}  // namespace rim
