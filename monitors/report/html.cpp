#include "monitors/report/html.h"

namespace rim::report {
namespace {

std::string_view replacement(char character) {
  switch (character) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      break;
  }
  const bool forbidden = static_cast<unsigned char>(character) < 0x20 && character != '\n' && character != '\t';
  return forbidden ? "\xEF\xBF\xBD" : "";
}

}  // namespace

std::string escape(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char character : text) {
    const std::string_view other = replacement(character);
    if (other.empty()) {
      result += character;
    } else {
      result += other;
    }
  }
  return result;
}

std::string element(std::string_view name, Attributes attributes, std::string_view markup) {
  std::string result = "<" + std::string(name);
  for (const auto& [key, value] : attributes) {
    result.append(" ").append(key).append("=\"").append(escape(value)).append("\"");
  }
  return result.append(">").append(markup).append("</").append(name).append(">");
}

std::string text_element(std::string_view name, Attributes attributes, std::string_view text) {
  return element(name, attributes, escape(text));
}

}  // namespace rim::report
