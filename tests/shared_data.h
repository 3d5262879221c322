// Test data beside the repository, which not every machine has.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>

namespace rim {

// A path below RIMSCOPE_SHARED_DATA, or nothing where it is absent: the test is to skip. RIMSCOPE_REQUIRE_DATA=1 makes
// absence a failure.
inline std::optional<std::filesystem::path> shared_data(const std::filesystem::path& relative) {
  const char* given = std::getenv("RIMSCOPE_SHARED_DATA");
  const std::filesystem::path root =
      given != nullptr ? std::filesystem::path(given) : std::filesystem::path(RIMSCOPE_SOURCE_DIR) / "../shared/data";
  if (std::filesystem::exists(root / relative)) return root / relative;
  const char* required = std::getenv("RIMSCOPE_REQUIRE_DATA");
  if (required != nullptr && std::string_view(required) == "1") ADD_FAILURE() << root / relative << " is not there";
  return std::nullopt;
}

}  // namespace rim
