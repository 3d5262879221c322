// trainer-state.json and DONE: what a checkpoint holds, and the proof that it is whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "data/support/json.h"
#include "data/support/sha256.h"

namespace rim {

inline constexpr const char* kTrainerStateFile = "trainer-state.json";
inline constexpr const char* kDoneFile = "DONE";
inline constexpr const char* kOptimizerFile = "optimizer.safetensors";
inline constexpr const char* kObserverFile = "observer.safetensors";

struct TrainerState {
  std::int64_t step = 0;
  Json progress;
  std::map<std::string, FileDigest> files;  // every file of the folder but trainer-state.json and DONE
};

// Writes trainer-state.json with the digests of all files that lie in `folder`: those in `known`, by name, were taken
// while they were written, the others are read. Throws Error(input_output).
void write_trainer_state(const std::filesystem::path& folder, std::int64_t step, const Json& progress,
                         std::map<std::string, FileDigest> known);
// Marks the folder whole: DONE holds the digest of trainer-state.json. Throws Error(input_output).
void write_done(const std::filesystem::path& folder);
[[nodiscard]] bool is_done(const std::filesystem::path& folder);

// Reads trainer-state.json. Throws Error(bad_data) naming the file: no DONE, an unknown format version, or a digest
// that does not hold.
TrainerState read_trainer_state(const std::filesystem::path& folder);
// Throws Error(bad_data) naming the first file that is missing or whose bytes are not those that were saved.
void verify_files(const std::filesystem::path& folder, const TrainerState& state);

}  // namespace rim
