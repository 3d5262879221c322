#include "data/support/error.h"
#include "data/support/json.h"
#include "trainer/model/safetensors.h"

namespace rim {
namespace {

constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";

// Downloaded indexes are input like any other: a name with a path in it could open a file anywhere.
void require_basename(const std::string& name, const std::string& origin) {
  const bool plain =
      !name.empty() && name != "." && name != ".." && name.find_first_of(std::string("/\\\0", 3)) == std::string::npos;
  if (!plain)
    throw Error(ExitCode::bad_data, origin + ": shard name " + Json(name).dump() + " is not a plain file name");
}

[[noreturn]] void refuse_without_safetensors(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder)) {
    const bool file = std::filesystem::exists(folder);
    throw Error(ExitCode::no_input,
                folder.string() + (file ? ": is a file, not a model folder" : ": no such model folder"));
  }
  for (const auto& item : std::filesystem::directory_iterator(folder)) {
    const std::string extension = item.path().extension().string();
    if (extension == ".bin" || extension == ".pt" || extension == ".pth") {
      throw Error(ExitCode::bad_data,
                  item.path().string() +
                      ": pickled weights can run code and are not read; convert them once with: python3 -c \"from "
                      "transformers import AutoModelForCausalLM as M; M.from_pretrained('" +
                      folder.string() + "').save_pretrained('" + folder.string() + "-safetensors')\"");
    }
  }
  throw Error(ExitCode::no_input, folder.string() + ": holds neither " + kSingleFile + " nor " + kIndexFile);
}

std::map<std::string, std::string> read_index(const std::filesystem::path& path) {
  const Json index = read_json_file(path);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    throw Error(ExitCode::bad_data, path.string() + ": 'weight_map' is missing or not an object");
  }
  std::map<std::string, std::string> shard_of;
  for (const auto& [name, shard] : index["weight_map"].items()) {
    if (!shard.is_string())
      throw Error(ExitCode::bad_data, path.string() + ": the shard of '" + name + "' is not a string");
    require_basename(shard.get<std::string>(), path.string());
    shard_of[name] = shard.get<std::string>();
  }
  return shard_of;
}

}  // namespace

WeightFolder::WeightFolder(const std::filesystem::path& folder) {
  std::map<std::string, std::string> shard_of;
  const bool single = std::filesystem::exists(folder / kSingleFile);
  if (!single) {
    if (!std::filesystem::exists(folder / kIndexFile)) refuse_without_safetensors(folder);
    shard_of = read_index(folder / kIndexFile);
  }
  std::map<std::string, std::size_t> file_numbers;
  const auto open = [&](const std::string& name) {
    const auto [position, added] = file_numbers.emplace(name, files_.size());
    if (added) {
      files_.emplace_back(folder / name);
      file_names_.push_back((folder / name).string());
    }
    return position->second;
  };
  if (single) {
    open(kSingleFile);
    for (const std::string& name : files_[0].names()) index_[name] = 0;
    return;
  }
  for (const auto& [name, shard] : shard_of) {
    const std::size_t number = open(shard);
    if (!files_[number].contains(name)) {
      throw Error(ExitCode::bad_data, file_names_[number] + ": the index places '" + name + "' here, but it is not");
    }
    index_[name] = number;
  }
}

std::vector<std::string> WeightFolder::names() const {
  std::vector<std::string> names;
  for (const auto& [name, number] : index_) names.push_back(name);
  return names;
}

bool WeightFolder::contains(const std::string& name) const { return index_.contains(name); }

std::vector<std::int64_t> WeightFolder::shape(const std::string& name) const {
  return files_[index_.at(name)].shape(name);
}

at::Tensor WeightFolder::read(const std::string& name) const { return files_[index_.at(name)].read(name); }

std::string WeightFolder::file_of(const std::string& name) const { return file_names_[index_.at(name)]; }

}  // namespace rim
