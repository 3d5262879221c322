#include "data/evaluation/characters.h"

#include "data/support/text.h"

namespace rim {
namespace {

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

std::vector<std::string_view> visible_characters(std::string_view text) {
  std::vector<std::string_view> characters;
  while (!text.empty()) {
    std::size_t length = 1;
    while (length < text.size() && continues(text[length])) ++length;
    if (kWhitespace.find(text[0]) == std::string_view::npos) characters.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return characters;
}

bool is_letter(std::string_view character) {
  const char first = character.front();
  if (static_cast<unsigned char>(first) > 127) return character != "\xEF\xBF\xBD";
  return (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
}

}  // namespace rim
