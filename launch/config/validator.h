// Checks a tree against option schemas and fills in what was left out.
#pragma once

#include <string>
#include <vector>

#include "data/support/json.h"
#include "data/support/options.h"
#include "launch/config/config_node.h"
#include "launch/config/problems.h"

namespace rim {

// Returns an object with every key of `specs`, given or by its fallback (absent sections as empty ones). Unknown,
// ill-typed, out-of-range and missing keys are all noted in `problems`; the result means nothing if there are any.
Json validate(const ConfigNode& root, const std::vector<OptionSpec>& specs, Problems& problems);

}  // namespace rim
