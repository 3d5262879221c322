// How checkpoint folders are named, and which ones lie in a run. Local; no function throws for strange entries. A
// folder is this program's by its name, and for the name of a finished checkpoint by the trainer-state.json in it:
// whatever else lies beside them is left alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace rim {

inline constexpr const char* kIncompleteSuffix = ".incomplete";
inline constexpr const char* kReplacedSuffix = ".replaced.incomplete";  // moved out of another's way, to be removed

// "step-000200".
std::string checkpoint_name(std::int64_t step);
// The step of such a name; nothing for any other.
std::optional<std::int64_t> step_of_checkpoint(const std::string& name);

struct CheckpointFolder {
  std::int64_t step = 0;
  std::filesystem::path path;
};

// Folders that hold a checkpoint, whole or not, by rising step. Leftovers ("...incomplete") are not among them.
std::vector<CheckpointFolder> list_checkpoints(const std::filesystem::path& checkpoints);
// Folders whose writing or removal was cut short.
std::vector<std::filesystem::path> list_incomplete(const std::filesystem::path& checkpoints);
// What is named like a checkpoint and is none, by rising step: a checkpoint of that step could not be written.
std::vector<CheckpointFolder> list_foreign(const std::filesystem::path& checkpoints);
// Removes one of these folders; one that is cut short is seen to be incomplete. Returns why it failed.
std::error_code remove_checkpoint(const std::filesystem::path& folder);

}  // namespace rim
