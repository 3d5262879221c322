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

[[noreturn]] void refuse_type(std::string_view key, std::string_view wanted, const Json& found,
                              const std::string& origin) {
  throw Error(ExitCode::bad_data,
              origin + ": '" + std::string(key) + "' must be " + std::string(wanted) + ", but is " + found.type_name());
}

// Less the library's own number of the error and, in a text of one line, that line: who reads a file of many lines says
// in `origin` which one it is.
std::string reason_of(const Json::exception& error, std::string_view text) {
  std::string reason = error.what();
  if (const auto number = reason.find("] "); number != std::string::npos) reason.erase(0, number + 2);
  constexpr std::string_view kPlace = "parse error at line 1, ";
  if (reason.starts_with(kPlace) && text.find('\n') == std::string_view::npos) reason.erase(0, kPlace.size());
  return reason;
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
    throw Error(ExitCode::bad_data, origin + ": not valid JSON: " + reason_of(error, text));
  }
}

Json read_json_file(const std::filesystem::path& path) {
  const std::string text = read_text_file(path);
  refuse_git_lfs_pointer(text, path.string());
  return parse_json(text, path.string());
}

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
