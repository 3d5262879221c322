// How a run begins: afresh, over an earlier run, or from a checkpoint. Used by rank 0; the others are told.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/support/json.h"
#include "launch/config/run_config.h"

namespace rim {

// What lies where in a run's folder.
struct RunPaths {
  explicit RunPaths(const std::filesystem::path& output_dir);
  std::filesystem::path folder, config, log, status, record, report, checkpoints;
};

struct RunStart {
  std::string run_id;
  std::string checkpoint;          // folder to resume from; empty: from the base model
  bool verified = false;           // that folder has been compared with its digests
  std::int64_t step = 0;           // of that checkpoint
  std::string dtype;               // that it was trained in: "float32" or "bfloat16"; empty for a fresh run
  bool replaces_old_run = false;   // files of an earlier run are to be removed first
  std::vector<std::string> notes;  // for the user: damaged checkpoints passed over, settings that changed
};
Json to_json(const RunStart& start);
RunStart run_start_from_json(const Json& json);

// Decides, and proves that the folder can be written, before anything is loaded. Nothing of an earlier run is touched.
// A folder that a run was resumed into and that has no checkpoint yet may be resumed into again. Throws Error(config)
// for any other folder that holds a run, naming the remedies; Error(no_input) and Error(bad_data) for a checkpoint that
// is missing or not whole; Error(input_output) for an unwritable folder.
RunStart plan_run_start(const RunConfig& config);

// Removes checkpoints, log.jsonl, run.h5 and report.html of the run in the folder, by their names, and nothing else.
// Throws Error(input_output).
void remove_old_run(const RunPaths& paths);

// For a fresh run, after everything is loaded: removes the run that is replaced, and writes config.yaml. A run that
// goes on from a checkpoint changes nothing before that is loaded. Throws Error(input_output).
void prepare_run_folder(const RunPaths& paths, const RunStart& start, const std::string& config_text);

// The folder of the run that wrote the checkpoint: the one above its checkpoints, where run.h5 is still that run's.
std::optional<RunPaths> folder_of_origin(const RunStart& start);
// For a run that goes on in another folder than its checkpoint's: log.jsonl of the run so far, where there is none yet.
// Throws Error(input_output).
void take_log_along(const RunPaths& paths, const RunStart& start);

}  // namespace rim
