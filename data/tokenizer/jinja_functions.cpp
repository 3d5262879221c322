// Filters and methods of templates.
#include <algorithm>

#include "data/support/text.h"
#include "data/tokenizer/jinja_tokens.h"
#include "data/tokenizer/jinja_values.h"

namespace rim {
namespace {

std::string text_argument(const JinjaArguments& arguments, std::size_t index) {
  if (index >= arguments.positional.size() || !arguments.positional[index].is_string()) {
    throw JinjaError("a text is wanted in brackets");
  }
  return arguments.positional[index].get<std::string>();
}

Json split(const std::string& text, const JinjaArguments& arguments) {
  if (arguments.positional.size() != 1) throw JinjaError("split() so is not supported");
  const std::string separator = text_argument(arguments, 0);
  if (separator.empty()) throw JinjaError("split by nothing");
  Json parts = Json::array();
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find(separator, begin)) != std::string::npos; begin = end + separator.size()) {
    parts.push_back(text.substr(begin, end - begin));
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::string strip(const std::string& text, const JinjaArguments& arguments, bool left, bool right) {
  const std::string characters =
      arguments.positional.empty() ? std::string(kWhitespace) + "\x1c\x1d\x1e\x1f" : text_argument(arguments, 0);
  const std::size_t begin = left ? std::min(text.find_first_not_of(characters), text.size()) : 0;
  const std::size_t end = right ? text.find_last_not_of(characters) + 1 : text.size();
  return begin < end ? text.substr(begin, end - begin) : "";
}

std::string upper_ascii(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

std::string capitalized(const std::string& text) {
  return upper_ascii(text.substr(0, 1)) + lower_ascii(text).substr(std::min<std::size_t>(1, text.size()));
}

// Short texts times short texts: what could come out is bounded.
void require_short(std::size_t left, std::size_t right) {
  constexpr std::size_t kLongest = std::size_t{1} << 24;
  if (left > kLongest / (right + 1)) throw JinjaError("a text that is too long");
}

std::string replaced(const std::string& text, const std::string& from, const std::string& to) {
  require_short(text.size(), to.size());
  return replace_all(text, from, to);
}

Json text_method(const std::string& name, const std::string& text, const JinjaArguments& arguments) {
  if (name == "strip" || name == "trim") return strip(text, arguments, true, true);
  if (name == "lstrip") return strip(text, arguments, true, false);
  if (name == "rstrip") return strip(text, arguments, false, true);
  if (name == "startswith") return text.starts_with(text_argument(arguments, 0));
  if (name == "endswith") return text.ends_with(text_argument(arguments, 0));
  if (name == "split") return split(text, arguments);
  if (name == "replace") return replaced(text, text_argument(arguments, 0), text_argument(arguments, 1));
  if (name == "lower") return lower_ascii(text);
  if (name == "upper") return upper_ascii(text);
  if (name == "capitalize") return capitalized(text);
  throw JinjaError("'" + name + "' of a text is not supported");
}

Json items_of(const Json& object) {
  Json pairs = Json::array();
  for (const auto& [key, value] : object.items()) pairs.push_back(Json::array({key, value}));
  return pairs;
}

Json list_of(const Json& value) {
  if (value.is_array()) return value;
  throw JinjaError("a list of something else than a list");
}

Json joined(const Json& list, const JinjaArguments& arguments) {
  const std::string separator = arguments.positional.empty() ? "" : text_argument(arguments, 0);
  std::vector<std::string> parts;
  for (const Json& part : list_of(list)) parts.push_back(jinja_printed(part));
  require_short(parts.size(), separator.size());
  return join(parts, separator);
}

Json defaulted(const Json& value, const JinjaArguments& arguments) {
  const auto& given = arguments.positional;
  const auto named = arguments.named.find("boolean");
  const bool falsy_too =
      given.size() > 1 ? jinja_truth(given[1]) : named != arguments.named.end() && jinja_truth(named->second);
  const bool keeps = falsy_too ? jinja_truth(value) : !value.is_discarded();
  return keeps ? value : given.empty() ? Json("") : given[0];
}

}  // namespace

Json jinja_filter(const std::string& name, const Json& value, const JinjaArguments& arguments) {
  if (name == "default" || name == "d") return defaulted(value, arguments);
  if (name == "length" || name == "count") {
    if (value.is_discarded()) return 0;
    if (value.is_string()) return value.get_ref<const std::string&>().size();
    if (value.is_array() || value.is_object()) return value.size();
  }
  if (name == "string") return jinja_printed(value);
  if (name == "safe") return value;
  if (name == "list") return list_of(value);
  if (name == "join") return joined(value, arguments);
  if (name == "first" || name == "last") return jinja_item(list_of(value), name == "first" ? 0 : -1);
  if (name == "items" && value.is_object()) return items_of(value);
  static constexpr auto kOfTexts = std::to_array<std::string_view>({"trim", "lower", "upper", "replace", "capitalize"});
  if (std::ranges::find(kOfTexts, name) != kOfTexts.end()) return text_method(name, jinja_printed(value), arguments);
  throw JinjaError("the filter '" + name + "' is not supported here");
}

Json jinja_method(const std::string& name, const Json& object, const JinjaArguments& arguments) {
  if (object.is_string() && name != "trim") return text_method(name, object.get<std::string>(), arguments);
  if (object.is_object() && name == "items") return items_of(object);
  if (object.is_object() && name == "get") {
    const Json found = jinja_item(object, text_argument(arguments, 0));
    if (!found.is_discarded()) return found;
    return arguments.positional.size() > 1 ? arguments.positional[1] : Json(nullptr);
  }
  throw JinjaError("the method '" + name + "' is not supported");
}

}  // namespace rim
