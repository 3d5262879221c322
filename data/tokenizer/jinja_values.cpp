#include "data/tokenizer/jinja_values.h"

#include <algorithm>

#include "data/tokenizer/jinja_tokens.h"

namespace rim {
namespace {

constexpr std::size_t kLongestText = std::size_t{1} << 20;

std::int64_t whole(const Json& value) {
  if (!value.is_number_integer()) throw JinjaError("a whole number is wanted");
  return value.get<std::int64_t>();
}

std::int64_t length_of(const Json& value) {
  if (value.is_string()) return std::ssize(value.get_ref<const std::string&>());
  if (value.is_array() || value.is_object()) return std::ssize(value);
  throw JinjaError("something without a length");
}

std::string concatenated(std::string left, const std::string& right) {
  if (left.size() + right.size() > kLongestText) throw JinjaError("a text that is too long");
  return std::move(left) + right;
}

Json element(const Json& container, std::int64_t index) {
  if (container.is_string())
    return std::string(1, container.get_ref<const std::string&>()[static_cast<std::size_t>(index)]);
  return container[static_cast<std::size_t>(index)];
}

}  // namespace

bool jinja_truth(const Json& value) {
  if (value.is_discarded() || value.is_null()) return false;
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value != 0;
  return length_of(value) > 0;
}

bool jinja_equal(const Json& left, const Json& right) {
  if (left.is_discarded() || right.is_discarded()) return left.is_discarded() && right.is_discarded();
  return left == right;
}

std::string jinja_printed(const Json& value) {
  if (value.is_discarded()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_null()) return "None";
  if (value.is_number_integer()) return value.dump();
  throw JinjaError("a list or a mapping is printed");
}

bool jinja_contains(const Json& container, const Json& item) {
  if (container.is_discarded()) return false;
  if (container.is_string() && item.is_string()) {
    return container.get_ref<const std::string&>().find(item.get_ref<const std::string&>()) != std::string::npos;
  }
  if (container.is_object()) return item.is_string() && container.contains(item.get_ref<const std::string&>());
  if (!container.is_array()) throw JinjaError("'in' something that holds nothing");
  return std::ranges::any_of(container, [&](const Json& held) { return jinja_equal(held, item); });
}

Json jinja_item(const Json& container, const Json& key) {
  if (container.is_discarded()) throw JinjaError("a member of something undefined");
  if (container.is_object() && key.is_string()) {
    const auto found = container.find(key.get_ref<const std::string&>());
    return found == container.end() ? jinja_undefined() : *found;
  }
  if (!key.is_number_integer() || !(container.is_array() || container.is_string())) return jinja_undefined();
  const std::int64_t length = length_of(container);
  const std::int64_t index = whole(key) < 0 ? whole(key) + length : whole(key);
  return index < 0 || index >= length ? jinja_undefined() : element(container, index);
}

Json jinja_slice(const Json& container, const Json& begin, const Json& end, const Json& step) {
  const std::int64_t length = length_of(container);
  const std::int64_t stride = step.is_null() ? 1 : whole(step);
  if (container.is_object() || (stride != 1 && stride != -1)) throw JinjaError("such a slice is not supported");
  const std::int64_t least = stride > 0 ? 0 : -1;
  const auto bound = [&](const Json& given, std::int64_t absent) {
    if (given.is_null()) return absent;
    const std::int64_t index = whole(given) < 0 ? whole(given) + length : whole(given);
    return std::clamp(index, least, stride > 0 ? length : length - 1);
  };
  const std::int64_t last = bound(end, stride > 0 ? length : -1);
  Json part = Json::array();
  for (std::int64_t i = bound(begin, stride > 0 ? 0 : length - 1); stride > 0 ? i < last : i > last; i += stride) {
    part.push_back(element(container, i));
  }
  if (!container.is_string()) return part;
  std::string text;
  for (const Json& letter : part) text += letter.get_ref<const std::string&>();
  return text;
}

Json jinja_arithmetic(std::string_view sign, const Json& left, const Json& right) {
  if (sign == "~") return concatenated(jinja_printed(left), jinja_printed(right));
  if (sign == "+" && left.is_string() && right.is_string()) {
    return concatenated(left.get<std::string>(), right.get<std::string>());
  }
  if (sign == "+" && left.is_array() && right.is_array()) {
    Json joined = left;
    for (const Json& item : right) joined.push_back(item);
    return joined;
  }
  const std::int64_t a = whole(left), b = whole(right);
  std::int64_t result = 0;
  if (sign == "+" && !__builtin_add_overflow(a, b, &result)) return result;
  if (sign == "-" && !__builtin_sub_overflow(a, b, &result)) return result;
  if (sign == "*" && !__builtin_mul_overflow(a, b, &result)) return result;
  if (sign == "+" || sign == "-" || sign == "*") throw JinjaError("a number that is too large");
  if ((sign == "%" || sign == "//") && b > 0) {
    const bool below = a % b < 0;  // Python rounds down, and its remainder is never negative
    return sign == "%" ? a % b + (below ? b : 0) : a / b - (below ? 1 : 0);
  }
  throw JinjaError("'" + std::string(sign) + "' is not supported");
}

bool jinja_compare(std::string_view sign, const Json& left, const Json& right) {
  if (sign == "==") return jinja_equal(left, right);
  if (sign == "!=") return !jinja_equal(left, right);
  if (sign == "in") return jinja_contains(right, left);
  if (sign == "not in") return !jinja_contains(right, left);
  const std::int64_t a = whole(left), b = whole(right);
  if (sign == "<") return a < b;
  if (sign == ">") return a > b;
  return sign == "<=" ? a <= b : a >= b;
}

bool jinja_test(const std::string& name, const Json& value, const JinjaArguments& arguments) {
  if (name == "defined") return !value.is_discarded();
  if (name == "undefined") return value.is_discarded();
  if (name == "none") return value.is_null();
  if (name == "string") return value.is_string();
  if (name == "mapping") return value.is_object();
  if (name == "iterable" || name == "sequence") return value.is_string() || value.is_array() || value.is_object();
  if (name == "boolean") return value.is_boolean();
  if (name == "number") return value.is_number() || value.is_boolean();
  if (name == "integer") return value.is_number_integer();
  if (name == "true") return value.is_boolean() && value.get<bool>();
  if (name == "false") return value.is_boolean() && !value.get<bool>();
  if (arguments.positional.size() == 1) {
    if (name == "in") return jinja_contains(arguments.positional[0], value);
    if (name == "equalto" || name == "eq") return jinja_equal(value, arguments.positional[0]);
  }
  throw JinjaError("the test '" + name + "' is not supported");
}

}  // namespace rim
