// A resolved configuration as YAML that reads back as the same values, here and in YAML 1.1 readers such as PyYAML.
#pragma once

#include <string>
#include <vector>

#include "data/support/json.h"
#include "data/support/options.h"

namespace rim {

// Keys in the schema's order; absent ones (null, empty lists and sections) are left out.
std::string write_yaml(const Json& values, const std::vector<OptionSpec>& specs);

}  // namespace rim
