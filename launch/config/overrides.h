// key=value arguments of the command line, applied to the tree before it is validated, so that they are checked as the
// file is.
#pragma once

#include <string>
#include <vector>

#include "launch/config/config_node.h"
#include "launch/config/problems.h"

namespace rim {

// Each override is "dotted.path=value", the value in YAML ("data.train.0.limit=10", "monitors.1.thinking=[on, off]").
// Sections that are missing are made; list entries must exist. Later overrides win over earlier ones.
// Problems are noted as "command line: key=value: ...".
void apply_overrides(ConfigNode& root, const std::vector<std::string>& overrides, Problems& problems);

}  // namespace rim
