// Character classes as Oniguruma 6.9.10 (Unicode 16), the engine inside Hugging Face's `tokenizers`, understands them,
// written for PCRE2, whose 10.42 knows Unicode 14 and counts U+180E as white space. ICU 72 knows Unicode 15.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rim {

// What stands between the brackets of a PCRE2 class that matches \p{name}, e.g. "\p{Nd}\x{11F50}-\x{11F59}...".
// `name`: a general category of letters, marks, numbers, punctuation, symbols or separators ("L", "Nd"); nothing for
// other names. U+1171E, moved from Mn to Mc in Unicode 16, counts as both.
std::optional<std::string> class_items_of_category(std::string_view name);

// The same for \s and \S.
std::string class_items_of_white_space();
std::string class_items_of_non_white_space();

// What \w matches: letters, marks, decimal digits, connectors and joiners (UTS #18, annex C), in Unicode 16.
bool is_word_character(char32_t code_point);

}  // namespace rim
