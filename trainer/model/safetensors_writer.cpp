#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "data/support/error.h"
#include "data/support/file_descriptor.h"
#include "data/support/files.h"
#include "trainer/model/safetensors.h"
#include "trainer/model/safetensors_header.h"

namespace rim {
namespace {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

[[noreturn]] void refuse(const std::filesystem::path& path, const char* what) {
  throw Error(ExitCode::input_output, path.string() + ": " + what + ": " + std::generic_category().message(errno));
}

class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& path)
      : path_(path), descriptor_(path, O_WRONLY | O_CREAT | O_TRUNC) {
    if (descriptor_.value() < 0) refuse(path_, "cannot be created");
  }

  void write(const char* data, std::size_t bytes) {
    sha256_.add(data, bytes);
    written_ += static_cast<std::int64_t>(bytes);
    if (!descriptor_.write({data, bytes})) refuse(path_, "cannot be written");
  }
  FileDigest finish() {
    if (::fsync(descriptor_.value()) != 0) refuse(path_, "cannot be synced to disk");
    if (!descriptor_.close()) refuse(path_, "cannot be closed");
    return {written_, sha256_.hexadecimal()};
  }

 private:
  std::filesystem::path path_;
  FileDescriptor descriptor_;
  Sha256 sha256_;
  std::int64_t written_ = 0;
};

// The length word and the JSON, padded with spaces so that the data start at a multiple of 8.
std::string header_bytes(const NamedTensors& tensors) {
  Json header = {{"__metadata__", {{"format", "pt"}}}};
  std::size_t position = 0;
  for (const auto& [name, tensor] : tensors) {
    if (header.contains(name)) throw Error(ExitCode::software, "two tensors to save are named '" + name + "'");
    const std::size_t end = position + tensor.nbytes();
    header[name] = {{"dtype", safetensors_dtype_name(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {position, end}}};
    position = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string length;
  for (unsigned int i = 0; i < 8; ++i) length += static_cast<char>(text.size() >> (8 * i) & 0xFFU);
  return length + text;
}

// Wide elements first: then each tensor starts at a multiple of its element size, as readers that map the file expect.
NamedTensors in_file_order(NamedTensors tensors) {
  std::stable_sort(tensors.begin(), tensors.end(), [](const auto& left, const auto& right) {
    return left.second.element_size() > right.second.element_size();
  });
  return tensors;
}

std::vector<NamedTensors> cut_into_shards(const NamedTensors& tensors, std::int64_t shard_bytes) {
  std::vector<NamedTensors> shards(1);
  std::int64_t filled = 0;
  for (const auto& named : tensors) {
    const auto bytes = static_cast<std::int64_t>(named.second.nbytes());
    if (!shards.back().empty() && filled + bytes > shard_bytes) {
      shards.emplace_back();
      filled = 0;
    }
    shards.back().push_back(named);
    filled += bytes;
  }
  return shards;
}

std::string shard_name(std::size_t number, std::size_t count) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "model-%05zu-of-%05zu.safetensors", number + 1, count);
  return text.data();
}

}  // namespace

FileDigest write_safetensors(const std::filesystem::path& path, const NamedTensors& unordered) {
  const NamedTensors tensors = in_file_order(unordered);
  OutputFile file(path);
  const std::string header = header_bytes(tensors);
  file.write(header.data(), header.size());
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor plain = tensor.detach().cpu().contiguous();  // one at a time: no second copy of the model
    file.write(static_cast<const char*>(plain.const_data_ptr()), plain.nbytes());
  }
  return file.finish();
}

std::map<std::string, FileDigest> write_weight_folder(const std::filesystem::path& folder, const NamedTensors& tensors,
                                                      std::int64_t shard_bytes) {
  const std::vector<NamedTensors> shards = cut_into_shards(tensors, shard_bytes);
  if (shards.size() == 1) return {{"model.safetensors", write_safetensors(folder / "model.safetensors", tensors)}};
  std::map<std::string, FileDigest> digests;
  Json index = {{"metadata", {{"total_size", 0}}}, {"weight_map", Json::object()}};
  std::size_t total = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const std::string name = shard_name(i, shards.size());
    digests[name] = write_safetensors(folder / name, shards[i]);
    for (const auto& named : shards[i]) {
      index["weight_map"][named.first] = name;
      total += named.second.nbytes();
    }
  }
  index["metadata"]["total_size"] = total;
  write_file_atomically(folder / "model.safetensors.index.json", index.dump(2) + "\n");
  return digests;
}

}  // namespace rim
