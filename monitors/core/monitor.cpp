#include "monitors/core/monitor.h"

#include <algorithm>
#include <utility>

#include "data/support/error.h"

namespace rim {
namespace {

// The configuration's validator does this too; here it serves callers that build a monitor without a YAML file.
Json with_defaults(const MonitorKind& kind, Json options) {
  if (options.is_null()) options = Json::object();
  for (const OptionSpec& option : kind.options) {
    if (options.contains(option.name)) continue;
    if (option.required) {
      throw Error(ExitCode::config, "monitor '" + kind.kind + "' needs the option '" + option.name + "'");
    }
    options[option.name] = option.fallback;
  }
  return options;
}

}  // namespace

const at::Tensor& SharedTensors::get(const std::string& name, const std::string& who) const {
  const auto found = values_.find(name);
  if (found != values_.end()) return found->second;
  throw Error(ExitCode::config, who + " needs '" + name + "', which monitor '" + name.substr(0, name.find('.')) +
                                    "' provides: list it before " + who);
}

void MonitorRegistry::add(MonitorKind kind) {
  if (std::ranges::find(kinds_, kind.kind, &MonitorKind::kind) != kinds_.end()) {
    throw Error(ExitCode::software, "the monitor kind '" + kind.kind + "' is registered twice");
  }
  kinds_.push_back(std::move(kind));
}

std::unique_ptr<Monitor> MonitorRegistry::make(const std::string& kind, const Json& options,
                                               const MonitorContext& context) const {
  const auto found = std::ranges::find(kinds_, kind, &MonitorKind::kind);
  if (found != kinds_.end()) return found->make(with_defaults(*found, options), context);
  std::string known;
  for (const MonitorKind& other : kinds_) known += (known.empty() ? "" : ", ") + other.kind;
  throw Error(ExitCode::config, "no monitor kind is called '" + kind + "': there are " + known);
}

}  // namespace rim
