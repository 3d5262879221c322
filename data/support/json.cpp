#include "data/support/json.h"

#include "data/support/error.h"
#include "data/support/files.h"

namespace rim {
namespace {

constexpr int kMaximumDepth = 128;

const Json& member(const Json& object, std::string_view key, const std::string& origin) {
  if (!object.is_object()) throw Error(ExitCode::bad_data, origin + ": expected an object");
  const auto found = object.find(key);
  if (found == object.end()) {
    throw Error(ExitCode::bad_data, origin + ": '" + std::string(key) + "' is missing");
  }
  return *found;
}

[[noreturn]] void refuse_type(std::string_view key, std::string_view wanted, const Json& found, const std::string& origin) {
  throw Error(ExitCode::bad_data, origin + ": '" + std::string(key) + "' must be " + std::string(wanted) +
                                      ", but is " + found.type_name());
}

bool absent(const Json& object, std::string_view key) {
  if (!object.is_object()) return false;
  const auto found = object.find(key);
  return found == object.end() || found->is_null();
}

}  // namespace

Json parse_json(std::string_view text, const std::string& origin) {
  const auto limit_depth = [&](int depth, Json::parse_event_t, const Json&) {
    if (depth > kMaximumDepth) throw Error(ExitCode::bad_data, origin + ": nested deeper than 128 levels");
    return true;
  };
  try {
    return Json::parse(text, limit_depth);
  } catch (const Json::exception& error) {
    std::string reason = error.what();
    const auto colon = reason.find("] ");
    throw Error(ExitCode::bad_data, origin + ": not valid JSON: " + (colon == std::string::npos ? reason : reason.substr(colon + 2)));
  }
}

Json read_json_file(const std::filesystem::path& path) { return parse_json(read_text_file(path), path.string()); }

std::string json_string(const Json& object, std::string_view key, const std::string& origin) {
  const Json& value = member(object, key, origin);
  if (!value.is_string()) refuse_type(key, "a string", value, origin);
  return value.get<std::string>();
}

std::int64_t json_integer(const Json& object, std::string_view key, const std::string& origin) {
  const Json& value = member(object, key, origin);
  if (!value.is_number_integer()) refuse_type(key, "a whole number", value, origin);
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
    throw Error(ExitCode::bad_data, origin + ": '" + std::string(key) + "' is too large");
  }
  return value.get<std::int64_t>();
}

double json_number(const Json& object, std::string_view key, const std::string& origin) {
  const Json& value = member(object, key, origin);
  if (!value.is_number()) refuse_type(key, "a number", value, origin);
  return value.get<double>();
}

bool json_bool(const Json& object, std::string_view key, const std::string& origin) {
  const Json& value = member(object, key, origin);
  if (!value.is_boolean()) refuse_type(key, "true or false", value, origin);
  return value.get<bool>();
}

std::string json_string_or(const Json& object, std::string_view key, std::string fallback, const std::string& origin) {
  return absent(object, key) ? fallback : json_string(object, key, origin);
}

std::int64_t json_integer_or(const Json& object, std::string_view key, std::int64_t fallback,
                             const std::string& origin) {
  return absent(object, key) ? fallback : json_integer(object, key, origin);
}

double json_number_or(const Json& object, std::string_view key, double fallback, const std::string& origin) {
  return absent(object, key) ? fallback : json_number(object, key, origin);
}

bool json_bool_or(const Json& object, std::string_view key, bool fallback, const std::string& origin) {
  return absent(object, key) ? fallback : json_bool(object, key, origin);
}

}  // namespace rim
