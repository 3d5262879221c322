// docs/configuration.md, from the schema.
#pragma once

#include <string>
#include <vector>

#include "data/support/options.h"

namespace rim {

std::string configuration_reference(const std::vector<OptionSpec>& schema);

}  // namespace rim
