#include "trainer/loop/run_folder.h"

#include <algorithm>
#include <system_error>

#include "data/support/error.h"
#include "data/support/files.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/checkpoint_folders.h"
#include "trainer/checkpoint/trainer_state.h"

namespace rim {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAbandonedSuffix = ".abandoned";

[[noreturn]] void refuse(const fs::path& path, const std::string& what, const std::error_code& reason) {
  throw Error(ExitCode::input_output, path.string() + ": " + what + ": " + reason.message());
}

// "step-000004.abandoned", "step-000004.abandoned-2", ...: whichever is free.
fs::path place_aside(const fs::path& checkpoint) {
  fs::path aside = checkpoint;
  aside += kAbandonedSuffix;
  for (int number = 2; fs::exists(aside); ++number) {
    aside = checkpoint;
    aside += std::string(kAbandonedSuffix) + "-" + std::to_string(number);
  }
  return aside;
}

std::vector<fs::path> list_abandoned(const fs::path& checkpoints) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (fs::directory_iterator entry(checkpoints, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
    if (is_abandoned(entry->path()) && fs::is_regular_file(entry->path() / kTrainerStateFile, ignored)) {
      found.push_back(entry->path());
    }
  }
  return found;
}

}  // namespace

fs::path checkpoints_folder(const fs::path& output_dir) { return output_dir / "checkpoints"; }

fs::path log_file(const fs::path& output_dir) { return output_dir / "log.jsonl"; }

bool holds_checkpoints(const fs::path& output_dir) {
  const auto folders = list_checkpoints(checkpoints_folder(output_dir));
  return std::any_of(folders.begin(), folders.end(), [](const auto& folder) { return is_done(folder.path); });
}

void refuse_foreign_checkpoints(const fs::path& output_dir, std::int64_t step) {
  for (const CheckpointFolder& foreign : list_foreign(checkpoints_folder(output_dir))) {
    if (foreign.step <= step) continue;
    throw Error(ExitCode::config, foreign.path.string() +
                                      ": is no checkpoint of this program, and lies where one may be "
                                      "written; move it away, or choose another output_dir");
  }
}

void remove_checkpoints(const fs::path& output_dir) {
  const fs::path checkpoints = checkpoints_folder(output_dir);
  std::vector<fs::path> own = list_abandoned(checkpoints);
  for (const CheckpointFolder& folder : list_checkpoints(checkpoints)) own.push_back(folder.path);
  for (const fs::path& leftover : list_incomplete(checkpoints)) {
    if (std::ranges::find(own, leftover) == own.end()) own.push_back(leftover);
  }
  for (const fs::path& path : own) {
    if (const std::error_code failure = remove_checkpoint(path)) refuse(path, "cannot be removed", failure);
  }
  std::error_code not_empty_or_absent;
  fs::remove(checkpoints, not_empty_or_absent);
}

bool is_abandoned(const fs::path& checkpoint) {
  const std::string name = checkpoint.has_filename() ? checkpoint.filename() : checkpoint.parent_path().filename();
  const auto suffix = name.find(kAbandonedSuffix);
  return suffix != std::string::npos && step_of_checkpoint(name.substr(0, suffix)).has_value();
}

std::optional<fs::path> find_resume_checkpoint(const fs::path& output_dir, const std::string& resume_from_checkpoint,
                                               std::vector<std::string>& notes) {
  if (resume_from_checkpoint.empty()) return std::nullopt;
  if (resume_from_checkpoint != "auto") {
    if (fs::is_directory(resume_from_checkpoint)) return resume_from_checkpoint;
    throw Error(ExitCode::no_input, "resume_from_checkpoint: " + resume_from_checkpoint + ": there is no such folder");
  }
  const auto newest = newest_checkpoint(checkpoints_folder(output_dir), notes);
  if (!newest && holds_checkpoints(output_dir)) {
    throw Error(ExitCode::bad_data, checkpoints_folder(output_dir).string() + ": every checkpoint is damaged (" +
                                        notes.back() + "); move them away to start over");
  }
  return newest;
}

std::string run_id_of_checkpoint(const fs::path& checkpoint) {
  const TrainerState state = read_trainer_state(checkpoint);
  return json_string_or(state.progress, "run_id", "", (checkpoint / kTrainerStateFile).string());
}

std::vector<fs::path> set_aside_later_checkpoints(const fs::path& output_dir, std::int64_t step) {
  std::vector<fs::path> moved;
  for (const CheckpointFolder& folder : list_checkpoints(checkpoints_folder(output_dir))) {
    if (folder.step <= step || !is_done(folder.path)) continue;
    const fs::path aside = place_aside(folder.path);
    std::error_code failure;
    fs::rename(folder.path, aside, failure);
    if (failure) refuse(aside, "cannot be renamed from " + folder.path.string(), failure);
    moved.push_back(aside);
  }
  // To disk before the log and the record are cut back: a crash in between must not leave checkpoints ahead of them.
  if (!moved.empty()) sync_path(checkpoints_folder(output_dir));
  return moved;
}

}  // namespace rim
