#include "trainer/loop/run_folder.h"

#include <algorithm>
#include <system_error>

#include "data/support/error.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/checkpoint_folders.h"
#include "trainer/checkpoint/trainer_state.h"

namespace rim {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& path, const std::string& what, const std::error_code& reason) {
  throw Error(ExitCode::input_output, path.string() + ": " + what + ": " + reason.message());
}

}  // namespace

fs::path checkpoints_folder(const fs::path& output_dir) { return output_dir / "checkpoints"; }

fs::path log_file(const fs::path& output_dir) { return output_dir / "log.jsonl"; }

bool holds_checkpoints(const fs::path& output_dir) {
  const auto folders = list_checkpoints(checkpoints_folder(output_dir));
  return std::any_of(folders.begin(), folders.end(), [](const auto& folder) { return is_done(folder.path); });
}

void clear_run_folder(const fs::path& output_dir) {
  for (const fs::path& path : {checkpoints_folder(output_dir), log_file(output_dir)}) {
    std::error_code failure;
    fs::remove_all(path, failure);
    if (failure) refuse(path, "cannot be removed", failure);
  }
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
    fs::path aside = folder.path;
    aside += ".abandoned";
    std::error_code failure;
    fs::remove_all(aside, failure);
    fs::rename(folder.path, aside, failure);
    if (failure) refuse(aside, "cannot be renamed from " + folder.path.string(), failure);
    moved.push_back(aside);
  }
  return moved;
}

}  // namespace rim
