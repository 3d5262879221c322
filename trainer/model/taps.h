// Named places in the forward pass that can be observed or edited, and cost a null check when nobody listens.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace rim {

enum class TapSite {
  residual,           // "layers.N.resid":        [batch, time, hidden]            input of block N
  attention_pattern,  // "layers.N.attn.pattern": [batch, heads, time, key time]   softmax weights (explicit attention)
  neurons,            // "layers.N.mlp.neurons":  [batch, time, intermediate]      act(gate) * up, down_proj's input
};

// "layers.7.mlp.neurons". parse_tap_site takes "resid", "attn.pattern" or "mlp.neurons"; throws Error(config).
std::string tap_name(TapSite site, std::int64_t layer);
TapSite parse_tap_site(const std::string& name);

// Called from inside Decoder's forward pass, in layer order, on the calling thread.
class TapListener {
 public:
  virtual ~TapListener() = default;
  [[nodiscard]] virtual bool wants(TapSite site, std::int64_t layer) const = 0;
  // `value` may be read, or replaced by a tensor of the same shape and dtype (ablate, steer, patch).
  virtual void at(TapSite site, std::int64_t layer, at::Tensor& value) = 0;
};

}  // namespace rim
