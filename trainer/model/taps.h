// Named places in the forward pass that can be observed or edited, and cost a null check when nobody listens.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

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

}  // namespace rim
