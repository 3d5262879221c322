#include "trainer/checkpoint/checkpoint_folders.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <optional>

#include "data/support/error.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/trainer_state.h"

namespace rim {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (fs::directory_iterator entry(folder, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
    found.push_back(entry->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool holds_trainer_state(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / kTrainerStateFile, ignored);
}

std::vector<CheckpointFolder> list_named(const fs::path& checkpoints, bool ours) {
  std::vector<CheckpointFolder> found;
  for (const fs::path& entry : entries(checkpoints)) {
    const auto step = step_of_checkpoint(entry.filename());
    if (step && holds_trainer_state(entry) == ours) found.push_back({*step, entry});
  }
  std::sort(found.begin(), found.end(), [](const auto& left, const auto& right) { return left.step < right.step; });
  return found;
}

bool is_leftover(const std::string& name) {
  for (const std::string suffix : {kReplacedSuffix, kIncompleteSuffix}) {
    if (name.ends_with(suffix) && step_of_checkpoint(name.substr(0, name.size() - suffix.size()))) return true;
  }
  return false;
}

}  // namespace

std::string checkpoint_name(std::int64_t step) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "step-%06" PRId64, step);
  return text.data();
}

std::optional<std::int64_t> step_of_checkpoint(const std::string& name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  std::int64_t step = 0;
  const char* end = name.data() + name.size();
  const auto [stop, failure] = std::from_chars(name.data() + kPrefix.size(), end, step);
  if (failure != std::errc() || stop != end || checkpoint_name(step) != name) return std::nullopt;
  return step;
}

std::vector<CheckpointFolder> list_checkpoints(const fs::path& checkpoints) { return list_named(checkpoints, true); }

std::vector<CheckpointFolder> list_foreign(const fs::path& checkpoints) { return list_named(checkpoints, false); }

std::vector<fs::path> list_incomplete(const fs::path& checkpoints) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const fs::path& entry : entries(checkpoints)) {
    const std::string name = entry.filename();
    const bool cut_short = step_of_checkpoint(name) && holds_trainer_state(entry) && !is_done(entry);
    if (fs::is_directory(entry, ignored) && (is_leftover(name) || cut_short)) found.push_back(entry);
  }
  return found;
}

std::error_code remove_checkpoint(const fs::path& folder) {
  std::error_code failure;
  fs::remove(folder / kDoneFile, failure);
  fs::path leftover = folder;
  const std::string name = folder.filename();
  if (!failure && !is_leftover(name)) {
    // Under its own name it would be a stranger's folder once trainer-state.json is gone.
    leftover.replace_filename(name.substr(0, name.find('.')) + kReplacedSuffix);
    fs::remove_all(leftover, failure);
    if (!failure) fs::rename(folder, leftover, failure);
  }
  if (!failure) fs::remove_all(leftover, failure);
  return failure;
}

std::vector<std::string> prune_checkpoints(const fs::path& checkpoints, std::int64_t keep) {
  std::vector<fs::path> old = list_incomplete(checkpoints);
  std::vector<CheckpointFolder> whole = list_checkpoints(checkpoints);
  std::erase_if(whole, [](const CheckpointFolder& folder) { return !is_done(folder.path); });
  const std::int64_t surplus = std::ssize(whole) - std::max<std::int64_t>(1, keep);
  for (std::int64_t i = 0; i < surplus; ++i) old.push_back(whole[static_cast<std::size_t>(i)].path);
  std::vector<std::string> notes;
  for (const fs::path& folder : old) {
    const std::error_code failure = remove_checkpoint(folder);
    if (failure) notes.push_back(folder.string() + ": cannot be removed: " + failure.message());
  }
  return notes;
}

std::optional<fs::path> newest_checkpoint(const fs::path& checkpoints, std::vector<std::string>& notes) {
  for (const fs::path& leftover : list_incomplete(checkpoints)) {
    notes.push_back(leftover.string() + ": skipped, its writing was cut short");
  }
  const auto folders = list_checkpoints(checkpoints);
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    if (!is_done(folder->path)) continue;
    try {
      verify_files(folder->path, read_trainer_state(folder->path));
      return folder->path;
    } catch (const Error& damage) {
      notes.push_back(std::string(damage.what()) + "; this checkpoint is skipped");
    }
  }
  return std::nullopt;
}

}  // namespace rim
