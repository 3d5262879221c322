#include "launch/verbs/run_start.h"

#include <random>

#include "data/support/error.h"
#include "data/support/files.h"
#include "launch/config/config_changes.h"
#include "monitors/recorder/run_reader.h"
#include "trainer/checkpoint/trainer_state.h"
#include "trainer/loop/run_folder.h"
#include "trainer/model/model_config.h"

namespace rim {
namespace {

namespace fs = std::filesystem;

std::string new_run_id() {
  std::random_device entropy;
  constexpr const char* kDigits = "0123456789abcdef";
  std::string id;
  for (int i = 0; i < 16; ++i) id += kDigits[entropy() % 16];
  return id;
}

bool holds_run(const RunPaths& paths) {
  return fs::exists(paths.log) || fs::exists(paths.record) || fs::exists(paths.status) ||
         holds_checkpoints(paths.folder);
}

// auto is offered only where there is something to go on from.
[[noreturn]] void refuse_folder_in_use(const RunPaths& paths) {
  const std::string resume = holds_checkpoints(paths.folder) ? "resume_from_checkpoint=auto continues it, " : "";
  throw Error(ExitCode::config, paths.folder.string() + ": holds a run already; " + resume +
                                    "overwrite_output_dir=true removes it and starts afresh");
}

bool is_inside(const fs::path& path, const fs::path& folder) {
  const fs::path relative = fs::weakly_canonical(path).lexically_relative(fs::weakly_canonical(folder));
  return !relative.empty() && *relative.begin() != "..";
}

RunStart fresh(bool replaces_old_run) {
  RunStart start;
  start.run_id = new_run_id();
  start.replaces_old_run = replaces_old_run;
  return start;
}

// True where what lies in the folder is the beginning of this very run: it was resumed from a checkpoint elsewhere and
// ended before its own first one. Each file that names its run must name this one, status.json (the first) at least.
bool began_here(const RunPaths& paths, const std::string& run_id) {
  if (holds_checkpoints(paths.folder) || !fs::exists(paths.status)) return false;
  if (json_string_or(read_json_file(paths.status), "run_id", "", paths.status.string()) != run_id) return false;
  return !fs::exists(paths.record) || RunReader(paths.record).provenance().at("run_id") == run_id;
}

// What log.jsonl and run.h5 hold up to its step is the other branch's, the one that went on.
[[noreturn]] void refuse_abandoned(const fs::path& checkpoint) {
  throw Error(ExitCode::config, checkpoint.string() +
                                    ": was set aside when the run went on from an earlier checkpoint, and its log and "
                                    "record are gone; start a new run from its weights (model.path)");
}

// A checkpoint of another run may start this one, but may not be mixed into a third.
RunStart resume_from(const fs::path& checkpoint, const RunConfig& config, const RunPaths& paths) {
  if (is_abandoned(checkpoint)) refuse_abandoned(checkpoint);
  RunStart start;
  start.checkpoint = checkpoint.string();
  start.step = read_trainer_state(checkpoint).step;
  start.dtype = read_model_config(checkpoint).stored_dtype;
  start.run_id = run_id_of_checkpoint(checkpoint);
  start.replaces_old_run = config.overwrite_output_dir && holds_run(paths);
  if (start.replaces_old_run || is_inside(checkpoint, paths.checkpoints) || !holds_run(paths)) return start;
  if (!began_here(paths, start.run_id)) refuse_folder_in_use(paths);
  return start;
}

// What this call asks of the run otherwise than config.yaml beside its checkpoints says, which a resumption replaces.
std::vector<std::string> changed_settings(const RunConfig& config, const fs::path& checkpoint) {
  const fs::path earlier = RunPaths(fs::weakly_canonical(checkpoint).parent_path().parent_path()).config;
  if (!fs::is_regular_file(earlier)) return {};
  return config_changes(read_text_file(earlier), config.text);
}

// What a run got to whose checkpoints are gone; empty where nothing but its start would be lost.
std::string achievement(const RunPaths& paths) {
  if (fs::exists(paths.record)) {
    const auto steps = RunReader(paths.record).steps();
    if (!steps.empty() && steps.back() > 0) return "run.h5 has observations up to step " + std::to_string(steps.back());
  }
  if (!fs::exists(paths.status)) return "";
  const std::string origin = paths.status.string();
  const Json status = read_json_file(paths.status);
  const std::string state = json_string_or(status, "state", "", origin);
  const std::int64_t step = json_integer(status, "step", origin);
  const bool got_somewhere = step > 0 && (state == "finished" || state == "preempted");
  return got_somewhere ? "status.json says " + state + " at step " + std::to_string(step) : "";
}

// auto without a checkpoint starts over a run that ended before its first one, and no other.
RunStart start_over(const RunPaths& paths) {
  const std::string lost = holds_run(paths) ? achievement(paths) : "";
  if (lost.empty()) return fresh(holds_run(paths));
  throw Error(ExitCode::config, paths.folder.string() +
                                    ": holds no checkpoint to go on from, but a run that got further (" + lost +
                                    "); overwrite_output_dir=true instead of resume_from_checkpoint=auto removes "
                                    "it and starts afresh");
}

RunStart decide(const RunConfig& config, const RunPaths& paths) {
  if (config.resume_from_checkpoint.empty()) {
    if (holds_run(paths) && !config.overwrite_output_dir) refuse_folder_in_use(paths);
    return fresh(holds_run(paths));
  }
  std::vector<std::string> notes;
  const auto found = find_resume_checkpoint(config.output_dir, config.resume_from_checkpoint, notes);
  RunStart start = found ? resume_from(*found, config, paths) : start_over(paths);
  start.verified = found && config.resume_from_checkpoint == "auto";
  start.notes = std::move(notes);
  if (found) {
    for (std::string& change : changed_settings(config, *found)) start.notes.push_back(std::move(change));
  }
  return start;
}

// What lies among the checkpoints that would be removed can neither be resumed nor copied from any more.
void refuse_to_remove_inputs(const RunConfig& config, const RunStart& start, const RunPaths& paths) {
  const fs::path checkpoint = start.checkpoint;
  for (const fs::path& input : {config.model.folder, config.model.config, config.tokenizer, checkpoint}) {
    if (input.empty() || !is_inside(input, paths.checkpoints)) continue;
    throw Error(ExitCode::config, input.string() + ": lies among the checkpoints of the run that would be replaced; " +
                                      "choose another output_dir, or move it away first");
  }
}

void remove_or_refuse(const fs::path& path) {
  std::error_code failure;
  fs::remove(path, failure);
  if (failure) throw Error(ExitCode::input_output, path.string() + ": cannot be removed: " + failure.message());
}

}  // namespace

RunPaths::RunPaths(const fs::path& output_dir)
    : folder(output_dir),
      config(output_dir / "config.yaml"),
      log(log_file(output_dir)),
      status(output_dir / "status.json"),
      record(output_dir / "run.h5"),
      report(output_dir / "report.html"),
      checkpoints(checkpoints_folder(output_dir)) {}

Json to_json(const RunStart& start) {
  return {{"run_id", start.run_id}, {"checkpoint", start.checkpoint}, {"verified", start.verified},
          {"step", start.step},     {"dtype", start.dtype},           {"replaces", start.replaces_old_run},
          {"notes", start.notes}};
}

RunStart run_start_from_json(const Json& json) {
  return {.run_id = json.at("run_id"),
          .checkpoint = json.at("checkpoint"),
          .verified = json.at("verified"),
          .step = json.at("step"),
          .dtype = json.at("dtype"),
          .replaces_old_run = json.at("replaces"),
          .notes = json.at("notes")};
}

RunStart plan_run_start(const RunConfig& config) {
  const RunPaths paths(config.output_dir);
  RunStart start = decide(config, paths);
  if (start.replaces_old_run) refuse_to_remove_inputs(config, start, paths);
  refuse_foreign_checkpoints(config.output_dir, start.step);
  require_writable_folder(config.output_dir);
  return start;
}

std::optional<RunPaths> folder_of_origin(const RunStart& start) {
  if (start.checkpoint.empty()) return std::nullopt;
  const RunPaths origin(fs::weakly_canonical(start.checkpoint).parent_path().parent_path());
  const bool is_its_own =
      fs::exists(origin.record) && RunReader(origin.record).provenance().at("run_id") == start.run_id;
  return is_its_own ? std::optional(origin) : std::nullopt;
}

void take_log_along(const RunPaths& paths, const RunStart& start) {
  if (fs::exists(paths.log)) return;
  const auto origin = folder_of_origin(start);
  if (origin && fs::exists(origin->log)) write_file_atomically(paths.log, read_text_file(origin->log));
}

void remove_old_run(const RunPaths& paths) {
  remove_checkpoints(paths.folder);
  for (const fs::path& path : {paths.log, paths.record, paths.report}) remove_or_refuse(path);
}

void prepare_run_folder(const RunPaths& paths, const RunStart& start, const std::string& config_text) {
  if (!start.checkpoint.empty()) return;
  if (start.replaces_old_run) {
    remove_old_run(paths);
    remove_or_refuse(paths.status);
  }
  write_file_atomically(paths.config, config_text);
}

}  // namespace rim
