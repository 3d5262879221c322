// JSON with the checks nlohmann-json leaves out: depth limit, types, and errors that name the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace rim {

using Json = nlohmann::json;

// Parses `text`; `origin` (a path, or path:line) heads the error. Throws Error(bad_data) for malformed JSON or nesting
// deeper than 128 levels (deeper values parse but overflow the stack when copied).
Json parse_json(std::string_view text, const std::string& origin);
// Throws Error(no_input) where the file cannot be read, else as parse_json.
Json read_json_file(const std::filesystem::path& path);

// Typed members of an object. They throw Error(bad_data) "<origin>: '<key>' ..." for an absent member or another type.
std::string json_string(const Json& object, std::string_view key, const std::string& origin);
std::int64_t json_integer(const Json& object, std::string_view key, const std::string& origin);
double json_number(const Json& object, std::string_view key, const std::string& origin);
bool json_bool(const Json& object, std::string_view key, const std::string& origin);

// The member, or `fallback` where it is absent or null; another type still throws.
std::string json_string_or(const Json& object, std::string_view key, std::string fallback, const std::string& origin);
std::int64_t json_integer_or(const Json& object, std::string_view key, std::int64_t fallback,
                             const std::string& origin);
double json_number_or(const Json& object, std::string_view key, double fallback, const std::string& origin);
bool json_bool_or(const Json& object, std::string_view key, bool fallback, const std::string& origin);

}  // namespace rim
