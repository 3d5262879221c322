// UTF-8 as text tools need it: repair, code points, and the white space that templates and added tokens trim.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rim {

bool is_valid_utf8(std::string_view bytes);

// The text with each maximal invalid piece replaced by U+FFFD (The Unicode Standard, section 3.9), as Rust's
// from_utf8_lossy and Python's errors="replace" do.
std::string replace_invalid_utf8(std::string_view bytes);

void append_utf8(std::string& text, char32_t code_point);

// The code point at `position`, which moves behind it. `text` is valid UTF-8 and position < text.size().
char32_t next_code_point(std::string_view text, std::size_t& position);
// The code point that ends at `position`, which moves to its start. `text` is valid UTF-8 and position > 0.
char32_t previous_code_point(std::string_view text, std::size_t& position);

// Unicode's White_Space property.
bool is_white_space(char32_t code_point);

}  // namespace rim
