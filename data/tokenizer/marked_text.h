// Text in which each byte knows whether a user wrote it (literal) or a template did.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rim {

// A view of marked text. `literal` is empty where nothing is literal; else it has one byte for each byte of text,
// 1 for literal ones.
struct MarkedView {
  std::string_view text;
  std::string_view literal;

  [[nodiscard]] MarkedView substr(std::size_t begin, std::size_t length) const {
    return {text.substr(begin, length), literal.empty() ? literal : literal.substr(begin, length)};
  }
  [[nodiscard]] bool is_literal(std::size_t position) const { return !literal.empty() && literal[position] != 0; }
};

struct MarkedText {
  std::string text;
  std::string literal;

  [[nodiscard]] MarkedView view() const { return {text, literal}; }
};

}  // namespace rim
