#include "trainer/checkpoint/trainer_state.h"

#include "data/support/error.h"
#include "data/support/files.h"
#include "data/support/sha256.h"

namespace rim {
namespace {

constexpr const char* kFormat = "rimscope-checkpoint";
constexpr std::int64_t kFormatVersion = 1;

// A folder from elsewhere must not make us read outside of it.
bool plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
}

Json digests_to_json(const std::filesystem::path& folder, std::map<std::string, FileDigest> known) {
  Json files = Json::object();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (!known.contains(name)) known[name] = digest_file(entry.path());
    files[name] = {{"bytes", known[name].bytes}, {"sha256", known[name].sha256}};
  }
  return files;
}

std::map<std::string, FileDigest> digests_from_json(const Json& files, const std::string& origin) {
  if (!files.is_object()) throw Error(ExitCode::bad_data, origin + ": 'files' must be an object");
  std::map<std::string, FileDigest> digests;
  for (const auto& [name, digest] : files.items()) {
    if (!plain_name(name)) throw Error(ExitCode::bad_data, origin + ": '" + name + "' is no plain file name");
    digests[name] = {json_integer(digest, "bytes", origin), json_string(digest, "sha256", origin)};
  }
  return digests;
}

}  // namespace

void write_trainer_state(const std::filesystem::path& folder, std::int64_t step, const Json& progress,
                         std::map<std::string, FileDigest> known) {
  const Json state = {{"format", kFormat},
                      {"format_version", kFormatVersion},
                      {"step", step},
                      {"progress", progress},
                      {"files", digests_to_json(folder, std::move(known))}};
  write_file_atomically(folder / kTrainerStateFile, state.dump(2) + '\n');
}

void write_done(const std::filesystem::path& folder) {
  write_file_atomically(folder / kDoneFile, digest_file(folder / kTrainerStateFile).sha256 + '\n');
}

bool is_done(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(folder / kDoneFile, ignored);
}

TrainerState read_trainer_state(const std::filesystem::path& folder) {
  if (!is_done(folder)) {
    throw Error(ExitCode::bad_data, folder.string() + ": is no whole checkpoint (it has no DONE)");
  }
  const std::string origin = (folder / kTrainerStateFile).string();
  const std::string text = read_text_file(folder / kTrainerStateFile);
  if (read_text_file(folder / kDoneFile) != sha256_hex(text) + '\n') {
    throw Error(ExitCode::bad_data, origin + ": is damaged (its SHA-256 is not the one in DONE)");
  }
  const Json json = parse_json(text, origin);
  if (json_string(json, "format", origin) != kFormat ||
      json_integer(json, "format_version", origin) != kFormatVersion) {
    throw Error(ExitCode::bad_data,
                origin + ": is not a checkpoint of format version " + std::to_string(kFormatVersion));
  }
  return {json_integer(json, "step", origin), json.value("progress", Json::object()),
          digests_from_json(json.value("files", Json()), origin)};
}

void verify_files(const std::filesystem::path& folder, const TrainerState& state) {
  for (const auto& [name, saved] : state.files) {
    const std::filesystem::path path = folder / name;
    std::error_code failure;
    const auto bytes = std::filesystem::file_size(path, failure);
    if (failure) throw Error(ExitCode::bad_data, path.string() + ": is missing from the checkpoint");
    if (bytes != static_cast<std::uintmax_t>(saved.bytes)) {
      throw Error(ExitCode::bad_data, path.string() + ": is damaged (" + std::to_string(bytes) + " bytes instead of " +
                                          std::to_string(saved.bytes) + ")");
    }
    if (digest_file(path) != saved) {
      throw Error(ExitCode::bad_data, path.string() + ": is damaged (its SHA-256 is not the one that was saved)");
    }
  }
}

}  // namespace rim
