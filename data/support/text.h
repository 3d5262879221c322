// Small helpers for ASCII text; bytes above 127 pass through unchanged.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rim {

inline constexpr std::string_view kWhitespace = " \t\r\n\f\v";

// `text` without the leading and trailing bytes that are in `characters`.
std::string_view trim(std::string_view text, std::string_view characters = kWhitespace);
std::string lower_ascii(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
// Two lower-case digits a byte.
std::string hexadecimal_digits(std::span<const unsigned char> bytes);
std::string replace_all(std::string text, std::string_view from, std::string_view to);

}  // namespace rim
