#include "launch/verbs/sample_text.h"

#include <span>

#include "launch/verbs/terminal.h"

namespace rim {

std::string printable_lines(const std::string& text) {
  std::string clean;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find('\n', begin);
    clean += printable(std::string_view(text).substr(begin, end - begin));
    if (end == std::string::npos) return clean;
    clean += '\n';
    begin = end + 1;
  }
}

std::string marked_text(const Sample& sample, const Tokenizer& tokenizer, bool colour) {
  const std::string open = colour ? "\033[1;32m" : "[[";
  const std::string close = colour ? "\033[0m" : "]]";
  const std::span<const TokenId> tokens(sample.tokens);
  std::string text;
  std::size_t begin = 0;
  while (begin < tokens.size()) {
    std::size_t end = begin;
    while (end < tokens.size() && sample.trained[end] == sample.trained[begin]) ++end;
    const std::string stretch = printable_lines(tokenizer.decode(tokens.subspan(begin, end - begin), false));
    text += sample.trained[begin] != 0 ? open + stretch + close : stretch;
    begin = end;
  }
  return text;
}

}  // namespace rim
