#include "trainer/model/taps.h"

#include "data/support/error.h"

namespace rim {
namespace {

const char* site_name(TapSite site) {
  switch (site) {
    case TapSite::residual:
      return "resid";
    case TapSite::attention_pattern:
      return "attn.pattern";
    case TapSite::neurons:
      return "mlp.neurons";
  }
  throw Error(ExitCode::software, "tap site out of range");
}

}  // namespace

std::string tap_name(TapSite site, std::int64_t layer) {
  return "layers." + std::to_string(layer) + "." + site_name(site);
}

TapSite parse_tap_site(const std::string& name) {
  for (const TapSite site : {TapSite::residual, TapSite::attention_pattern, TapSite::neurons}) {
    if (name == site_name(site)) return site;
  }
  throw Error(ExitCode::config, "unknown tap '" + name + "': use resid, attn.pattern or mlp.neurons");
}

}  // namespace rim
