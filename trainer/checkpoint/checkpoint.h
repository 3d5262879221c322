// Checkpoint folders: a Hugging Face model folder plus what is needed to continue bit-equal.
//
//   step-000200/
//     config.json generation_config.json tokenizer.json tokenizer_config.json ...   copied from the base model
//     model*.safetensors            weights in the model's dtype
//     trainer-state.json            step, tokens, format version, digests
//     optimizer.safetensors         AdamW's state
//     observer.safetensors          what the observer asked to keep (may be absent)
//     DONE                          written last
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/support/json.h"
#include "trainer/model/decoder.h"
#include "trainer/model/safetensors.h"

namespace rim {

struct CheckpointContent {
  std::int64_t step = 0;  // optimizer steps done
  Json progress;          // the loop's own numbers: tokens, seconds, run identity
  std::vector<NamedParameter> weights;
  Json model_config;  // config.json to write
  TensorMap optimizer_state;
  TensorMap observer_state;
};

// A tokenizer or generation file to copy along, under its own name or another.
struct ModelFile {
  ModelFile(std::filesystem::path file) : ModelFile(file, file.filename().string()) {}
  ModelFile(std::filesystem::path file, std::string copy) : source(std::move(file)), name(std::move(copy)) {}
  std::filesystem::path source;
  std::string name;
};

// Local, called on rank 0 only: writes "step-NNNNNN.incomplete", syncs every file and the folder, renames, marks DONE.
// `model_files` are copied along. Returns the final folder. Throws Error(input_output) with the path; an incomplete
// folder is removed first if it can be. What is no checkpoint and has the final name is left alone, and is an error.
std::filesystem::path save_checkpoint(const std::filesystem::path& checkpoints, const CheckpointContent& content,
                                      const std::vector<ModelFile>& model_files);
// Removes the oldest whole checkpoints beyond `keep` (and leftovers of incomplete ones). Returns a line for each that
// cannot be removed, which is no reason to end a run.
std::vector<std::string> prune_checkpoints(const std::filesystem::path& checkpoints, std::int64_t keep);
// The newest folder with DONE whose digests hold; others are skipped, each with a line in `notes`.
std::optional<std::filesystem::path> newest_checkpoint(const std::filesystem::path& checkpoints,
                                                       std::vector<std::string>& notes);

struct LoadedCheckpoint {
  std::int64_t step = 0;
  Json progress;
  SafetensorsFile optimizer_state;  // mapped: several times the weights, to be read tensor by tensor
  TensorMap observer_state;
};
// Compares each file with its size and SHA-256 in trainer-state.json. Reads all of them: once per host is enough.
// Throws Error(bad_data) naming the damaged file.
void verify_checkpoint(const std::filesystem::path& folder);
// Loads the weights into `model`. Does not verify the files. Throws Error(bad_data) where they are not a checkpoint's.
LoadedCheckpoint load_checkpoint(const std::filesystem::path& folder, Decoder& model);

}  // namespace rim
