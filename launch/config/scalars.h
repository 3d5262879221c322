// YAML 1.2's core scalars: true and false are the only booleans, so `thinking: on` is the word "on".
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "launch/config/config_node.h"

namespace rim {

// Each is empty where the node is something else. A quoted scalar is text, never a number or a boolean.
std::optional<bool> as_boolean(const ConfigNode& node);
std::optional<std::int64_t> as_integer(const ConfigNode& node);
std::optional<double> as_number(const ConfigNode& node);  // finite
std::optional<std::string> as_text(const ConfigNode& node);

// "'abc'", "a list", "empty": for messages.
std::string describe(const ConfigNode& node);

}  // namespace rim
