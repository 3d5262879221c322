// YAML text to ConfigNode. The only place that knows yaml-cpp.
#pragma once

#include <string>
#include <string_view>

#include "launch/config/config_node.h"
#include "launch/config/problems.h"

namespace rim {

// Reads one document from the event stream, so that nothing is resolved behind the user's back: duplicate keys are
// seen, and anchors, aliases, merge keys and tags are refused (an alias bomb is never built). Such problems are noted
// in `problems`; text that is not YAML at all, not UTF-8, or nested deeper than 32 levels throws Error(config) with its
// place.
ConfigNode read_yaml(std::string_view text, const std::string& source, Problems& problems);

// The same for the value of a command line's key=value; every place is `place`.
ConfigNode read_yaml_value(std::string_view text, const Place& place, Problems& problems);

}  // namespace rim
