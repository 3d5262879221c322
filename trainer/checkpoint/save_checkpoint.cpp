#include <array>
#include <cstdio>
#include <map>
#include <utility>

#include "data/support/error.h"
#include "data/support/files.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/checkpoint_folders.h"
#include "trainer/checkpoint/trainer_state.h"

namespace rim {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& path, const std::string& what, const std::error_code& reason) {
  throw Error(ExitCode::input_output, path.string() + ": " + what + ": " + reason.message());
}

void copy_synced(const fs::path& from, const fs::path& to) {
  std::error_code failure;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, failure);
  if (failure) refuse(to, "cannot be copied from " + from.string(), failure);
  sync_path(to);
}

// The base model's config with the dtype these weights have, under the key that the source uses (transformers 4 wrote
// torch_dtype, 5 writes dtype; both read both).
Json config_to_save(Json config, const std::vector<NamedParameter>& weights) {
  if (weights.empty()) return config;
  const bool half = weights.front().tensor.scalar_type() == at::kBFloat16;
  config[config.contains("dtype") ? "dtype" : "torch_dtype"] = half ? "bfloat16" : "float32";
  if (config.contains("dtype")) config.erase("torch_dtype");
  return config;
}

FileDigest write_tensors(const fs::path& path, const TensorMap& tensors) {
  return write_safetensors(path, {tensors.begin(), tensors.end()});
}

void write_content(const fs::path& folder, const CheckpointContent& content,
                   const std::vector<ModelFile>& model_files) {
  for (const ModelFile& file : model_files) copy_synced(file.source, folder / file.name);
  write_file_atomically(folder / "config.json", config_to_save(content.model_config, content.weights).dump(2) + '\n');
  std::vector<std::pair<std::string, at::Tensor>> weights;
  for (const NamedParameter& parameter : content.weights) weights.emplace_back(parameter.name, parameter.tensor);
  std::map<std::string, FileDigest> digests = write_weight_folder(folder, weights);
  for (const auto& [name, tensors] :
       {std::pair{kOptimizerFile, &content.optimizer_state}, std::pair{kObserverFile, &content.observer_state}}) {
    if (!tensors->empty()) digests[name] = write_tensors(folder / name, *tensors);
  }
  write_trainer_state(folder, content.step, content.progress, std::move(digests));
  sync_path(folder);
}

void rename_or_refuse(const fs::path& from, const fs::path& to) {
  std::error_code failure;
  fs::rename(from, to, failure);
  if (failure) refuse(to, "cannot be renamed from " + from.string(), failure);
}

// A folder of the same step may lie there: damaged, or of a run that went back to an earlier checkpoint.
void put_in_place(const fs::path& incomplete, const fs::path& final_folder) {
  fs::path replaced = final_folder;
  replaced += kReplacedSuffix;
  std::error_code ignored;
  fs::remove_all(replaced, ignored);
  if (fs::exists(final_folder)) rename_or_refuse(final_folder, replaced);
  rename_or_refuse(incomplete, final_folder);
  sync_path(final_folder.parent_path());
  write_done(final_folder);
  fs::remove_all(replaced, ignored);
}

void refuse_foreign(const fs::path& checkpoints, std::int64_t step) {
  for (const CheckpointFolder& foreign : list_foreign(checkpoints)) {
    if (foreign.step != step) continue;
    throw Error(ExitCode::input_output,
                foreign.path.string() + ": is no checkpoint, and one of this name must be written");
  }
}

}  // namespace

fs::path save_checkpoint(const fs::path& checkpoints, const CheckpointContent& content,
                         const std::vector<ModelFile>& model_files) {
  const fs::path final_folder = checkpoints / checkpoint_name(content.step);
  refuse_foreign(checkpoints, content.step);
  fs::path incomplete = final_folder;
  incomplete += kIncompleteSuffix;
  std::error_code failure;
  fs::remove_all(incomplete, failure);
  fs::create_directories(incomplete, failure);
  if (failure) refuse(incomplete, "cannot be created", failure);
  try {
    write_content(incomplete, content, model_files);
    put_in_place(incomplete, final_folder);
  } catch (...) {
    fs::remove_all(incomplete, failure);
    throw;
  }
  return final_folder;
}

}  // namespace rim
