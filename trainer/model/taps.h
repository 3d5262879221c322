// Named places in the forward pass that can be observed or edited, and cost a null check when nobody listens.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace rim {

enum class TapSite {
  residual,           // [batch, time, hidden]           input of the layer's block
  attention_pattern,  // [batch, heads, time, key time]  softmax weights (explicit attention)
  neurons,            // [batch, time, intermediate]     act(gate) * up, down_proj's input
};

// Called from inside Decoder's forward pass, in layer order, on the calling thread.
class TapListener {
 public:
  virtual ~TapListener() = default;
  [[nodiscard]] virtual bool wants(TapSite site, std::int64_t layer) const = 0;
  // `value` may be read, or replaced by a tensor of the same shape and dtype (ablate, steer, patch).
  virtual void at(TapSite site, std::int64_t layer, at::Tensor& value) = 0;
};

// "layers.7.resid", "layers.7.attn.pattern", "layers.7.mlp.neurons".
std::string tap_name(TapSite site, std::int64_t layer);

// Hands `value` to the listener where there is one that wants it. Throws Error(software) where it comes back with
// another shape or dtype.
void offer_to_tap(TapListener* taps, TapSite site, std::int64_t layer, at::Tensor& value);

}  // namespace rim
