#include "trainer/model/taps.h"

#include "data/support/error.h"

namespace rim {

std::string tap_name(TapSite site, std::int64_t layer) {
  const char* name = site == TapSite::residual ? "resid" : site == TapSite::neurons ? "mlp.neurons" : "attn.pattern";
  return "layers." + std::to_string(layer) + "." + name;
}

void offer_to_tap(TapListener* taps, TapSite site, std::int64_t layer, at::Tensor& value) {
  if (taps == nullptr || !taps->wants(site, layer)) return;
  const at::Tensor before = value;
  taps->at(site, layer, value);
  if (value.defined() && value.sizes() == before.sizes() && value.scalar_type() == before.scalar_type()) return;
  // Broadcasting could hide it, and a kernel would read past the end of what is too small.
  throw Error(ExitCode::software, "the tap at " + tap_name(site, layer) + " changed the tensor's shape or dtype");
}

}  // namespace rim
