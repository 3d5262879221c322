#include "data/tokenizer/jinja_expression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

namespace rim {
namespace {

constexpr int kDeepest = 100;

constexpr std::size_t kMostTokens = 2'000;
constexpr std::int64_t kLargestValue = std::int64_t{1} << 17;

// Bytes and members of a value, as far as they are allowed.
std::int64_t size_of(const Json& value, int depth = 0) {
  if (depth > kDeepest) throw JinjaError("nested too deeply");
  if (value.is_string()) return 1 + std::ssize(value.get_ref<const std::string&>());
  std::int64_t size = 1;
  if (!value.is_structured()) return size;
  for (const Json& member : value) {
    if ((size += size_of(member, depth + 1)) > kLargestValue) throw JinjaError("a value that is too large");
  }
  return size;
}

Json function_result(const std::string& name, const JinjaArguments& arguments) {
  if (name == "raise_exception") {
    throw JinjaRaised(arguments.positional.empty() ? "" : jinja_printed(arguments.positional[0]));
  }
  if (name == "namespace" || name == "dict") {
    Json object = Json::object();
    for (const auto& [key, value] : arguments.named) object[key] = value;
    return object;
  }
  throw JinjaError("the function '" + name + "' is not supported");
}

Json literal(const JinjaToken& token) {
  if (token.kind == JinjaToken::Kind::string) return token.text;
  if (token.kind == JinjaToken::Kind::number) {
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
    if (failure == std::errc() && end == token.text.data() + token.text.size()) return value;
    throw JinjaError("the number " + token.text);
  }
  if (token.text == "true" || token.text == "True") return true;
  if (token.text == "false" || token.text == "False") return false;
  if (token.text == "none" || token.text == "None") return nullptr;
  return jinja_undefined();
}

}  // namespace

JinjaScopes::JinjaScopes(const Json& variables) {
  open();
  for (const auto& [name, value] : variables.items()) set(name, value);
  open();
}

Json* JinjaScopes::find(const std::string& name) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const auto found = scope->find(name); found != scope->end()) return &found->second;
  }
  return nullptr;
}

void JinjaScopes::set(const std::string& name, Json value) {
  count_value(value);
  scopes_.back()[name] = std::move(value);
}

void JinjaScopes::count_value(const Json& value) {
  const std::int64_t size = size_of(value);
  if (size > kLargestValue) throw JinjaError("a value that is too large");
  if ((room_left_ -= size) < 0) throw JinjaError("it keeps too much");
}

void JinjaScopes::count_step() {
  if (--steps_left_ < 0) throw JinjaError("it runs for too long");
}

JinjaParser::JinjaParser(std::span<const JinjaToken> tokens) : tokens_(tokens) {
  if (tokens.size() > kMostTokens) throw JinjaError("a tag of more than " + std::to_string(kMostTokens) + " words");
}

JinjaToken JinjaParser::take() {
  JinjaToken token = peek();
  at_ = std::min(at_ + 1, tokens_.size() - 1);
  return token;
}

bool JinjaParser::skip_sign(std::string_view sign) {
  const bool found = peek().is_sign(sign);
  if (found) take();
  return found;
}

bool JinjaParser::skip_name(std::string_view name) {
  const bool found = peek().is_name(name);
  if (found) take();
  return found;
}

void JinjaParser::expect_sign(std::string_view sign) {
  if (!skip_sign(sign)) throw JinjaError("'" + std::string(sign) + "' is wanted, not '" + peek().text + "'");
}

std::string JinjaParser::expect_name() {
  if (peek().kind != JinjaToken::Kind::name) throw JinjaError("a name is wanted, not '" + peek().text + "'");
  return take().text;
}

void JinjaParser::expect_end() const {
  if (peek().kind != JinjaToken::Kind::end) throw JinjaError("'" + peek().text + "' is not understood");
}

JinjaExpression JinjaParser::expression() {
  if (++depth_ > kDeepest) throw JinjaError("nested too deeply");
  JinjaExpression value = any_of();
  while (skip_name("if")) {
    JinjaExpression condition = any_of();
    JinjaExpression other = skip_name("else") ? expression() : [](JinjaScopes&) { return jinja_undefined(); };
    value = [value, condition, other](JinjaScopes& scopes) {
      return jinja_truth(condition(scopes)) ? value(scopes) : other(scopes);
    };
  }
  --depth_;
  return value;
}

JinjaExpression JinjaParser::expression_without_choice() { return any_of(); }

// As in Python, "a or b" is one of its operands.
JinjaExpression JinjaParser::any_of() {
  JinjaExpression left = all_of();
  while (skip_name("or")) {
    left = [left, right = all_of()](JinjaScopes& scopes) {
      Json value = left(scopes);
      return jinja_truth(value) ? value : right(scopes);
    };
  }
  return left;
}

JinjaExpression JinjaParser::all_of() {
  JinjaExpression left = negation();
  while (skip_name("and")) {
    left = [left, right = negation()](JinjaScopes& scopes) {
      Json value = left(scopes);
      return jinja_truth(value) ? right(scopes) : value;
    };
  }
  return left;
}

JinjaExpression JinjaParser::negation() {
  if (!skip_name("not")) return comparison();
  if (++depth_ > kDeepest) throw JinjaError("nested too deeply");
  JinjaExpression value = negation();
  --depth_;
  return [value](JinjaScopes& scopes) -> Json { return !jinja_truth(value(scopes)); };
}

JinjaExpression JinjaParser::comparison() {
  static constexpr auto kSigns = std::to_array<std::string_view>({"==", "!=", "<", ">", "<=", ">="});
  JinjaExpression left = sum();
  std::string sign;
  if (std::ranges::any_of(kSigns, [&](std::string_view known) { return peek().is_sign(known); })) {
    sign = take().text;
  } else if (skip_name("in")) {
    sign = "in";
  } else if (peek().is_name("not") && peek(1).is_name("in")) {
    take(), take();
    sign = "not in";
  }
  if (sign.empty()) return left;
  return [left, sign, right = sum()](JinjaScopes& scopes) -> Json {
    const Json value = left(scopes);
    return jinja_compare(sign, value, right(scopes));
  };
}

JinjaExpression JinjaParser::binary(JinjaExpression (JinjaParser::*part)(), std::span<const std::string_view> signs) {
  JinjaExpression left = (this->*part)();
  while (std::ranges::any_of(signs, [&](std::string_view known) { return peek().is_sign(known); })) {
    const std::string sign = take().text;
    left = [left, sign, right = (this->*part)()](JinjaScopes& scopes) {
      const Json value = left(scopes);
      return jinja_arithmetic(sign, value, right(scopes));
    };
  }
  return left;
}

JinjaExpression JinjaParser::sum() {
  static constexpr auto kSigns = std::to_array<std::string_view>({"+", "-"});
  return binary(&JinjaParser::concatenation, kSigns);
}

JinjaExpression JinjaParser::concatenation() {
  static constexpr auto kSigns = std::to_array<std::string_view>({"~"});
  return binary(&JinjaParser::product, kSigns);
}

JinjaExpression JinjaParser::product() {
  static constexpr auto kSigns = std::to_array<std::string_view>({"*", "//", "%"});
  return binary(&JinjaParser::sign, kSigns);
}

JinjaExpression JinjaParser::sign() {
  const bool negative = skip_sign("-");
  JinjaExpression value = with_members(primary());
  if (negative) value = [value](JinjaScopes& scopes) { return jinja_arithmetic("-", 0, value(scopes)); };
  return with_filters(value);
}

JinjaExpression JinjaParser::primary() {
  if (skip_sign("(")) {
    JinjaExpression value = expression();
    if (skip_sign(")")) return value;
    expect_sign(",");  // a tuple, which serves as a list does
    return list(")", {value});
  }
  if (skip_sign("[")) return list("]", {});
  if (skip_sign("{")) return mapping();
  JinjaToken token = take();
  while (token.kind == JinjaToken::Kind::string && peek().kind == JinjaToken::Kind::string) token.text += take().text;
  if (token.kind == JinjaToken::Kind::sign || token.kind == JinjaToken::Kind::end) {
    throw JinjaError("'" + token.text + "' is not understood");
  }
  Json value = literal(token);
  if (!value.is_discarded()) return [value](JinjaScopes&) { return value; };
  if (skip_sign("(")) return call(token.text);
  return [name = token.text](JinjaScopes& scopes) {
    const Json* found = scopes.find(name);
    return found == nullptr ? jinja_undefined() : *found;
  };
}

JinjaExpression JinjaParser::list(std::string_view closing, std::vector<JinjaExpression> items) {
  while (!skip_sign(closing)) {
    items.push_back(expression());
    if (!peek().is_sign(closing)) expect_sign(",");
  }
  return [items](JinjaScopes& scopes) {
    Json values = Json::array();
    for (const JinjaExpression& item : items) values.push_back(item(scopes));
    return values;
  };
}

JinjaExpression JinjaParser::mapping() {
  std::vector<std::pair<std::string, JinjaExpression>> members;
  while (!skip_sign("}")) {
    if (peek().kind != JinjaToken::Kind::string) throw JinjaError("a mapping's key that is no text");
    std::string key = take().text;
    expect_sign(":");
    members.emplace_back(std::move(key), expression());
    if (!peek().is_sign("}")) expect_sign(",");
  }
  return [members](JinjaScopes& scopes) {
    Json object = Json::object();
    for (const auto& [key, value] : members) object[key] = value(scopes);
    return object;
  };
}

std::function<JinjaArguments(JinjaScopes&)> JinjaParser::arguments() {
  std::vector<std::pair<std::string, JinjaExpression>> given;
  while (!skip_sign(")")) {
    std::string name;
    if (peek().kind == JinjaToken::Kind::name && peek(1).is_sign("=")) {
      name = take().text;
      take();
    }
    given.emplace_back(std::move(name), expression());
    if (!peek().is_sign(")")) expect_sign(",");
  }
  return [given](JinjaScopes& scopes) {
    JinjaArguments arguments;
    for (const auto& [name, value] : given) {
      if (name.empty()) {
        arguments.positional.push_back(value(scopes));
      } else {
        arguments.named[name] = value(scopes);
      }
    }
    return arguments;
  };
}

JinjaExpression JinjaParser::call(const std::string& name) {
  return [name, given = arguments()](JinjaScopes& scopes) { return function_result(name, given(scopes)); };
}

JinjaExpression JinjaParser::subscript(JinjaExpression value) {
  std::array<JinjaExpression, 3> parts;
  std::size_t part = 0;
  bool slices = false;
  for (; !skip_sign("]"); part += slices ? 1 : 0) {
    if (part == parts.size()) throw JinjaError("a slice with more than three parts");
    if (!peek().is_sign(":") && !peek().is_sign("]")) parts[part] = expression();
    if (skip_sign(":")) {
      slices = true;
    } else if (!peek().is_sign("]")) {
      throw JinjaError("']' is wanted, not '" + peek().text + "'");
    }
  }
  return [value, parts, slices](JinjaScopes& scopes) {
    const auto of = [&](const JinjaExpression& bound) { return bound ? bound(scopes) : Json(nullptr); };
    const Json container = value(scopes);
    return slices ? jinja_slice(container, of(parts[0]), of(parts[1]), of(parts[2]))
                  : jinja_item(container, of(parts[0]));
  };
}

JinjaExpression JinjaParser::with_members(JinjaExpression value) {
  for (;;) {
    if (skip_sign("[")) {
      value = subscript(value);
    } else if (skip_sign(".")) {
      const std::string name = expect_name();
      if (skip_sign("(")) {
        value = [value, name, given = arguments()](JinjaScopes& scopes) {
          const Json object = value(scopes);
          return jinja_method(name, object, given(scopes));
        };
      } else {
        value = [value, name](JinjaScopes& scopes) { return jinja_item(value(scopes), name); };
      }
    } else {
      return value;
    }
  }
}

JinjaExpression JinjaParser::with_filters(JinjaExpression value) {
  for (;;) {
    if (skip_sign("|")) {
      const std::string name = expect_name();
      std::function<JinjaArguments(JinjaScopes&)> given = [](JinjaScopes&) { return JinjaArguments{}; };
      if (skip_sign("(")) given = arguments();
      value = with_members([value, name, given](JinjaScopes& scopes) {
        const Json filtered = value(scopes);
        return jinja_filter(name, filtered, given(scopes));
      });
    } else if (skip_name("is")) {
      const bool negated = skip_name("not");
      const std::string name = expect_name();
      std::function<JinjaArguments(JinjaScopes&)> given = [](JinjaScopes&) { return JinjaArguments{}; };
      if (skip_sign("(")) given = arguments();
      value = [value, negated, name, given](JinjaScopes& scopes) -> Json {
        const Json tested = value(scopes);
        return jinja_test(name, tested, given(scopes)) != negated;
      };
    } else {
      return value;
    }
  }
}

}  // namespace rim
