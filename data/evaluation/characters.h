// Text as characters, for what a judge counts.
#pragma once

#include <string_view>
#include <vector>

namespace rim {

// The UTF-8 characters of `text` that are no ASCII white space, in order; views into it.
std::vector<std::string_view> visible_characters(std::string_view text);

// ASCII letters and all characters above 127, but for U+FFFD, which stands for bytes that were no text.
bool is_letter(std::string_view character);

}  // namespace rim
