// Hugging Face's safetensors files, one or sharded by an index.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/support/sha256.h"

namespace rim {

using TensorMap = std::map<std::string, at::Tensor>;

// One memory-mapped file. Everything in the header is checked against the file's size before any tensor is made:
// length, UTF-8, duplicate names, dtypes, shapes, overlapping, holed or trailing data.
// Throws Error(no_input) or Error(bad_data) with the file's name and the tensor's.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&&) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept;

  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool contains(const std::string& name) const;
  [[nodiscard]] std::vector<std::int64_t> shape(const std::string& name) const;
  [[nodiscard]] at::ScalarType dtype(const std::string& name) const;
  // A copy that owns its memory (CPU).
  [[nodiscard]] at::Tensor read(const std::string& name) const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// All weights of a model folder: model.safetensors, or the shards of model.safetensors.index.json (plain basenames
// only). A folder with only .bin or .pt pickles is refused with the conversion command.
class WeightFolder {
 public:
  explicit WeightFolder(const std::filesystem::path& folder);
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool contains(const std::string& name) const;
  [[nodiscard]] std::vector<std::int64_t> shape(const std::string& name) const;
  [[nodiscard]] at::Tensor read(const std::string& name) const;
  [[nodiscard]] std::string file_of(const std::string& name) const;

 private:
  std::vector<SafetensorsFile> files_;
  std::vector<std::string> file_names_;
  std::map<std::string, std::size_t> index_;
};

// Writes one file: metadata {"format": "pt"}, data aligned to 8, written, fsynced. Returns the digest of what it wrote.
// Throws Error(input_output).
FileDigest write_safetensors(const std::filesystem::path& path,
                             const std::vector<std::pair<std::string, at::Tensor>>& tensors);
// Writes model.safetensors, or several shards and the index where the total exceeds `shard_bytes`. Returns the digests
// of the safetensors files by name.
std::map<std::string, FileDigest> write_weight_folder(const std::filesystem::path& folder,
                                                      const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                                                      std::int64_t shard_bytes = 5'000'000'000);

}  // namespace rim
