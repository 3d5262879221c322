// What lies where in a run's folder, and how a new run meets an old one. All local; call on rank 0 and share the
// outcome.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace rim {

std::filesystem::path checkpoints_folder(const std::filesystem::path& output_dir);  // <output_dir>/checkpoints
std::filesystem::path log_file(const std::filesystem::path& output_dir);            // <output_dir>/log.jsonl

// True where a finished checkpoint lies there: a fresh run would mix with it. train() refuses such a folder; whoever
// wants to overwrite calls remove_checkpoints() first.
bool holds_checkpoints(const std::filesystem::path& output_dir);
// Throws Error(config) where something that is no checkpoint has the name of one after `step`: a later checkpoint could
// not be written.
void refuse_foreign_checkpoints(const std::filesystem::path& output_dir, std::int64_t step);
// Removes the checkpoints in <output_dir>/checkpoints, whole, cut short or set aside; then the folder itself where
// nothing else is in it. Throws Error(input_output).
void remove_checkpoints(const std::filesystem::path& output_dir);

// Whether that is the name of a checkpoint that set_aside_later_checkpoints() renamed.
bool is_abandoned(const std::filesystem::path& checkpoint);

// `resume_from_checkpoint`: "" (none), a checkpoint folder, or "auto": the newest whole one of this run, none where
// there is no finished one. Skipped ones leave a line in `notes`. Throws Error(bad_data) where finished checkpoints are
// there but all are damaged (starting over would bury them), Error(no_input) for a named folder that does not exist.
std::optional<std::filesystem::path> find_resume_checkpoint(const std::filesystem::path& output_dir,
                                                            const std::string& resume_from_checkpoint,
                                                            std::vector<std::string>& notes);
// The run that wrote the checkpoint. Throws as read_trainer_state.
std::string run_id_of_checkpoint(const std::filesystem::path& checkpoint);

// Renames finished checkpoints after `step` to "...abandoned" (or "...abandoned-2" and so on, so that none is lost): a
// run that goes on from `step` must not later resume from the future of the one before. Returns the new names. Throws
// Error(input_output).
std::vector<std::filesystem::path> set_aside_later_checkpoints(const std::filesystem::path& output_dir,
                                                               std::int64_t step);

}  // namespace rim
