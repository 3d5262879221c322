// What a template computes with: JSON values as Python would treat them, for ASCII text.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/support/json.h"

namespace rim {

struct JinjaArguments {
  std::vector<Json> positional;
  std::map<std::string, Json> named;
};

// Jinja's undefined is a discarded Json.
inline Json jinja_undefined() { return Json(Json::value_t::discarded); }

bool jinja_truth(const Json& value);
bool jinja_equal(const Json& left, const Json& right);
// All of these throw JinjaError where Python would raise, and for what is not supported.
std::string jinja_printed(const Json& value);
bool jinja_contains(const Json& container, const Json& item);
Json jinja_item(const Json& container, const Json& key);
Json jinja_slice(const Json& container, const Json& begin, const Json& end, const Json& step);
Json jinja_arithmetic(std::string_view sign, const Json& left, const Json& right);
bool jinja_compare(std::string_view sign, const Json& left, const Json& right);
bool jinja_test(const std::string& name, const Json& value, const JinjaArguments& arguments);
Json jinja_filter(const std::string& name, const Json& value, const JinjaArguments& arguments);
Json jinja_method(const std::string& name, const Json& object, const JinjaArguments& arguments);

}  // namespace rim
