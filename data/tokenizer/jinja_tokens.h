// A Jinja template cut into text and tags, as transformers' settings cut it (trim_blocks and lstrip_blocks on).
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rim {

// What is wrong with a template, or beyond the part of Jinja that is known here.
struct JinjaError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct JinjaToken {
  enum class Kind { name, string, number, sign, end };
  Kind kind = Kind::end;
  std::string text;  // of a string: without quotes, escapes resolved
  [[nodiscard]] bool is_sign(std::string_view sign) const { return kind == Kind::sign && text == sign; }
  [[nodiscard]] bool is_name(std::string_view name) const { return kind == Kind::name && text == name; }
};

struct JinjaChunk {
  enum class Kind { text, output, statement };
  Kind kind = Kind::text;
  std::string text;                // of text
  std::vector<JinjaToken> tokens;  // of a tag; the last one is Kind::end
};

// Comments are gone. Throws JinjaError.
std::vector<JinjaChunk> cut_jinja(std::string_view source);

}  // namespace rim
