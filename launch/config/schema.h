// Every key a training configuration may hold. `rimscope config-reference` prints these rows as docs/configuration.md.
#pragma once

#include <vector>

#include "data/support/options.h"

namespace rim {

// `monitors`: the kinds of monitor there are and their options, from the MonitorRegistry.
std::vector<OptionSpec> training_schema(const std::vector<OptionVariant>& monitors);

}  // namespace rim
