#include "monitors/builtin/builtin_monitors.h"

namespace rim {

void register_builtin_monitors(MonitorRegistry& registry) {
  registry.add(neurons_kind());
  registry.add(ras_kind());
  registry.add(behaviour_kind());
}

}  // namespace rim
