// How checkpoint folders are named, and which ones lie in a run. Local; no function throws for strange entries.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace rim {

inline constexpr const char* kIncompleteSuffix = ".incomplete";

// "step-000200".
std::string checkpoint_name(std::int64_t step);
// The step of such a name; nothing for any other.
std::optional<std::int64_t> step_of_checkpoint(const std::string& name);

struct CheckpointFolder {
  std::int64_t step = 0;
  std::filesystem::path path;
};

// Folders named like a checkpoint, whole or not, by rising step. Leftovers ("...incomplete") are not among them.
std::vector<CheckpointFolder> list_checkpoints(const std::filesystem::path& checkpoints);
// Folders whose writing was cut short.
std::vector<std::filesystem::path> list_incomplete(const std::filesystem::path& checkpoints);

}  // namespace rim
