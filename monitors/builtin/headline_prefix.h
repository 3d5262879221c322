// How a headline says which of several monitors of one kind it is of.
#pragma once

#include <string>

namespace rim {

// "<name>: ", or nothing for the name that such a monitor has by default.
inline std::string headline_prefix(const std::string& name, const std::string& default_name) {
  return name == default_name ? "" : name + ": ";
}

}  // namespace rim
