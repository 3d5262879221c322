// Oniguruma patterns (Ruby syntax), as tokenizer.json writes them, said for PCRE2.
#pragma once

#include <string>
#include <string_view>

namespace rim {

// A PCRE2 pattern that matches what Oniguruma 6.9.10 matches with `pattern`. Only the constructs that split rules use
// and that are known to mean the same are let through: literals, classes, general categories, \s \S \d, groups (?: (?i:
// (?= (?! (?>, alternatives, the dot, and quantifiers (greedy, lazy, possessive). Classes are written out, because the
// engines' Unicode versions differ. Throws Error(bad_data) "<origin>: ..." that names any other construct.
// `pattern` is valid UTF-8.
std::string translate_regex(std::string_view pattern, const std::string& origin);

}  // namespace rim
