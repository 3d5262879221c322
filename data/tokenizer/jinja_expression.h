// Expressions of a template, parsed to functions of its variables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/tokenizer/jinja_tokens.h"
#include "data/tokenizer/jinja_values.h"

namespace rim {

// raise_exception(...) of a template: it will not render such a conversation.
struct JinjaRaised : JinjaError {
  using JinjaError::JinjaError;
};

// The variables of a rendering, innermost scope last.
class JinjaScopes {
 public:
  explicit JinjaScopes(const Json& variables);
  [[nodiscard]] Json* find(const std::string& name);
  void set(const std::string& name, Json value);
  void open() { scopes_.emplace_back(); }
  void close() { scopes_.pop_back(); }
  // Throws where a template runs for too long.
  void count_step();
  // Throws where a value that is kept is too large, or all of them together are.
  void count_value(const Json& value);

 private:
  std::vector<std::map<std::string, Json>> scopes_;
  int steps_left_ = 100'000;
  std::int64_t room_left_ = 50'000'000;  // bytes and members that may be kept, in all
};

using JinjaExpression = std::function<Json(JinjaScopes& scopes)>;

// Reads the tokens of one tag from left to right.
class JinjaParser {
 public:
  // Throws for a tag longer than any template's: what is parsed recurses.
  explicit JinjaParser(std::span<const JinjaToken> tokens);

  [[nodiscard]] const JinjaToken& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  JinjaToken take();
  bool skip_sign(std::string_view sign);
  bool skip_name(std::string_view name);
  void expect_sign(std::string_view sign);
  std::string expect_name();
  void expect_end() const;
  JinjaExpression expression();                 // with "a if b else c"
  JinjaExpression expression_without_choice();  // what a for loop goes through: "if" after it is the loop's
  // "(" is behind it: up to and with ")".
  std::function<JinjaArguments(JinjaScopes&)> arguments();

 private:
  JinjaExpression any_of();
  JinjaExpression all_of();
  JinjaExpression negation();
  JinjaExpression comparison();
  JinjaExpression sum();
  JinjaExpression concatenation();
  JinjaExpression product();
  JinjaExpression sign();
  JinjaExpression primary();
  JinjaExpression list(std::string_view closing, std::vector<JinjaExpression> items);
  JinjaExpression mapping();
  JinjaExpression call(const std::string& name);
  JinjaExpression with_members(JinjaExpression value);
  JinjaExpression with_filters(JinjaExpression value);
  JinjaExpression subscript(JinjaExpression value);
  JinjaExpression binary(JinjaExpression (JinjaParser::*part)(), std::span<const std::string_view> signs);

  std::span<const JinjaToken> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace rim
