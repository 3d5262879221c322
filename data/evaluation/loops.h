// Does a text run in circles?
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rim {

// True where more than half of the three-word sequences were there before (from six words on), or more than half of the
// characters equal the one a fixed number of characters before, white space left out (from twelve characters on): the
// latter finds loops in text without spaces, of any script. `words`: words_of(text).
bool loops(std::string_view text, const std::vector<std::string>& words);

}  // namespace rim
