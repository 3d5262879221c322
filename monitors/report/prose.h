// Pieces of captions.
#pragma once

#include <string>

namespace rim::report {

// With a full stop at its end, and only one.
std::string sentence(std::string text);

}  // namespace rim::report
