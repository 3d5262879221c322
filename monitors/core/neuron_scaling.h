// An Intervention at work inside the forward pass.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>

#include "monitors/core/probe.h"
#include "trainer/model/decoder.h"
#include "trainer/model/model_config.h"
#include "trainer/model/taps.h"

namespace rim {

// Multiplies the intervention's neurons by its scale at every position. Only the layers that hold one are touched.
class NeuronScaling : public TapListener {
 public:
  // Throws Error(config) for a neuron that the model does not have.
  NeuronScaling(const Intervention& intervention, const ModelConfig& config, const at::TensorOptions& options);
  [[nodiscard]] bool wants(TapSite site, std::int64_t layer) const override;
  void at(TapSite site, std::int64_t layer, at::Tensor& value) override;

 private:
  std::map<std::int64_t, at::Tensor> factors_;  // by layer: [intermediate], one but for the chosen neurons
};

// Nothing for an intervention without neurons: a pass without a listener is the same, and cheaper.
std::optional<NeuronScaling> neuron_scaling(const Intervention& intervention, const Decoder& model);

}  // namespace rim
