// JSON Lines: one JSON object a line.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/support/json.h"

namespace rim {

// Calls `visit(row, origin)` for each line that is not blank; origin is "<path>:<line>", lines count from 1. Returning
// false ends the reading. Throws Error(no_input), or Error(bad_data) for a line that is not a JSON object.
void visit_json_lines(const std::filesystem::path& path,
                      const std::function<bool(const Json& row, const std::string& origin)>& visit);

// Writes one compact object a line, atomically, bytes above 127 as they are. Throws Error(input_output).
void write_json_lines(const std::filesystem::path& path, const std::vector<nlohmann::ordered_json>& rows);

}  // namespace rim
