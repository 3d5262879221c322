// GPT-2's alphabet of 256 printable characters, one for each byte, in which byte-level vocabularies are spelled: the
// space is "Ġ", the line break "Ċ" (Radford et al. 2019, encoder.py's bytes_to_unicode).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rim {

// The bytes that `spelling` stands for; nothing where a character is outside the alphabet. `spelling` is valid UTF-8.
std::optional<std::string> bytes_of_spelling(std::string_view spelling);

// The spelling of `bytes`.
std::string spelling_of_bytes(std::string_view bytes);

}  // namespace rim
