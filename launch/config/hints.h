// The second half of an "is unknown" message: what the user probably meant.
#pragma once

#include <string>
#include <vector>

#include "data/support/options.h"

namespace rim {

// In this order: a name other trainers use for the same thing, the nearest key of the same section, a key of exactly
// this name in another section, the list of the section's keys. Starts with "; ".
std::string hint_for_unknown(const std::string& name, const std::string& section_path,
                             const std::vector<OptionSpec>& section, const std::vector<OptionSpec>& root);

// "; did you mean ...?" or the choices there are.
std::string hint_for_choice(const std::string& given, const std::vector<std::string>& choices);

}  // namespace rim
