// HTML and SVG as text. Everything that comes from a run is escaped here and nowhere else.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace rim::report {

using Attributes = std::initializer_list<std::pair<std::string_view, std::string>>;

// For text and for attribute values in double quotes. Control characters that HTML forbids become U+FFFD.
std::string escape(std::string_view text);
// <name a="b">markup</name>; `markup` is taken as it is.
std::string element(std::string_view name, Attributes attributes, std::string_view markup = "");
// The same, with text that is escaped.
std::string text_element(std::string_view name, Attributes attributes, std::string_view text);

}  // namespace rim::report
