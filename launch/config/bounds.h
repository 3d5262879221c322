// The smallest and largest value of an option in words, for messages and the reference page.
#pragma once

#include <string>

#include "data/support/options.h"

namespace rim {

// "between 1 and 1e9", "at least 0", "at most 1"; empty where there is no bound.
std::string bounds_text(const OptionSpec& spec);

}  // namespace rim
