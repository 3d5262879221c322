#include "data/tokenizer/regex_translation.h"

#include <optional>
#include <vector>

#include "data/support/error.h"
#include "data/tokenizer/unicode_classes.h"

namespace rim {
namespace {

bool is_punctuation(char character) {
  return std::string_view("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~").find(character) != std::string_view::npos;
}

// Walks the pattern once, left to right.
class Translator {
 public:
  Translator(std::string_view pattern, const std::string& origin) : pattern_(pattern), origin_(origin) {}

  std::string run() {
    while (position_ < pattern_.size()) step();
    return std::move(output_);
  }

 private:
  [[noreturn]] void refuse(std::string_view construct) const {
    throw Error(ExitCode::bad_data, origin_ + ": the regular expression '" + std::string(pattern_) + "' uses '" +
                                        std::string(construct) + "', which is not supported");
  }

  [[nodiscard]] bool next_is(std::string_view text) const { return pattern_.substr(position_).starts_with(text); }

  char take() {
    if (position_ == pattern_.size()) refuse("an unfinished construct");
    return pattern_[position_++];
  }

  bool take_if(std::string_view text) {
    if (!next_is(text)) return false;
    position_ += text.size();
    return true;
  }

  void step() {
    const char character = take();
    switch (character) {
      case '\\':
        return outside_class(take_escape());
      case '[':
        return take_class();
      case '(':
        return open_group();
      case ')':
        return close_group();
      case '{':
        return take_counts();
      case '^':
      case '$':
        refuse(std::string(1, character));  // Ruby's are line anchors
      default:
        output_.push_back(character);
    }
  }

  // A class escape becomes items for between brackets, any other escape one character.
  struct Escape {
    std::string text;
    bool is_class = false;
    bool negated = false;
  };

  Escape take_escape() {
    const char name = take();
    if (is_punctuation(name)) return {std::string{'\\', name}};
    switch (name) {
      case 'r':
      case 'n':
      case 't':
      case 'f':
        return {std::string{'\\', name}};
      case 'v':
        return {"\\x{B}"};  // PCRE2's \v is a class
      case 'u':
        return {take_code_point()};
      case 's':
        return {class_items_of_white_space(), true};
      case 'S':
        return {class_items_of_non_white_space(), true};
      case 'd':
        return {*class_items_of_category("Nd"), true};
      case 'p':
      case 'P':
        return {take_category(), true, name == 'P'};
      default:
        refuse(std::string{'\\', name});
    }
  }

  std::string take_code_point() {
    constexpr std::size_t digits = 4;
    const std::string_view value = pattern_.substr(position_, digits);
    if (value.size() < digits || value.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      refuse("\\u");
    }
    position_ += digits;
    return "\\x{" + std::string(value) + "}";
  }

  std::string take_category() {
    const std::size_t end = pattern_.find('}', position_);
    if (!next_is("{") || end == std::string_view::npos) refuse("\\p");
    const std::string_view name = pattern_.substr(position_ + 1, end - position_ - 1);
    position_ = end + 1;
    const auto items = class_items_of_category(name);
    if (!items || ignores_case()) refuse("\\p{" + std::string(name) + "}");
    return *items;
  }

  void outside_class(const Escape& escape) {
    if (!escape.is_class) {
      output_ += escape.text;
    } else {
      output_ += (escape.negated ? "[^" : "[") + escape.text + "]";
    }
  }

  void take_class() {
    output_ += take_if("^") ? "[^" : "[";
    for (bool first = true;; first = false) {
      const char character = take();
      if (character == ']' && !first) break;
      if (character == '[' || (character == '&' && next_is("&"))) refuse("a class inside a class");
      if (character == '\\') {
        const Escape escape = take_escape();
        if (escape.negated) refuse("\\P inside a class");
        output_ += escape.text;
      } else {
        output_.push_back(character);
      }
    }
    output_.push_back(']');
  }

  void open_group() {
    for (const std::string_view kind : {"?:", "?i:", "?=", "?!", "?>"}) {
      if (!take_if(kind)) continue;
      output_ += "(" + std::string(kind);
      groups_.push_back(ignores_case() || kind == "?i:");
      return;
    }
    if (next_is("?")) refuse("(" + std::string(pattern_.substr(position_, 2)));
    output_ += "(?:";  // nobody reads captures
    groups_.push_back(ignores_case());
  }

  void close_group() {
    if (groups_.empty()) refuse(")");
    groups_.pop_back();
    output_.push_back(')');
  }

  void take_counts() {
    const std::size_t end = pattern_.find('}', position_);
    const std::string_view counts = pattern_.substr(position_, end == std::string_view::npos ? end : end - position_);
    const bool counts_only = counts.find_first_not_of("0123456789,") == std::string_view::npos;
    if (end == std::string_view::npos || counts.empty() || counts.front() == ',' || !counts_only) refuse("{");
    position_ = end + 1;
    if (next_is("+")) refuse("}+");  // possessive for PCRE2, a second quantifier for Ruby
    output_ += "{" + std::string(counts) + "}";
  }

  [[nodiscard]] bool ignores_case() const { return !groups_.empty() && groups_.back(); }

  std::string_view pattern_;
  const std::string& origin_;
  std::size_t position_ = 0;
  std::string output_;
  std::vector<bool> groups_;  // for each open group: does it ignore case
};

}  // namespace

std::string translate_regex(std::string_view pattern, const std::string& origin) {
  return Translator(pattern, origin).run();
}

}  // namespace rim
