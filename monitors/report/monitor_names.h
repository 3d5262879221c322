// Which monitors recorded something, and how figures name them.
#pragma once

#include <string>
#include <vector>

namespace rim::report {

// The monitors that recorded "<monitor><suffix>", in the order of `names`.
std::vector<std::string> monitors_with(const std::vector<std::string>& names, const std::string& suffix);
// `title`, and " · <monitor>" where that is not the name such a monitor has by default: several of a kind stay apart.
std::string titled(const std::string& title, const std::string& monitor, const std::string& default_name);

}  // namespace rim::report
