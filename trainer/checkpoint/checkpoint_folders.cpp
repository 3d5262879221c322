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

std::vector<fs::path> subfolders(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (fs::directory_iterator entry(folder, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
    if (entry->is_directory(ignored)) found.push_back(entry->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

// DONE goes first: a folder whose removal is cut short is then seen to be incomplete.
void remove_checkpoint(const fs::path& folder) {
  std::error_code failure;
  fs::remove(folder / kDoneFile, failure);
  if (!failure) fs::remove_all(folder, failure);
  if (failure) throw Error(ExitCode::input_output, folder.string() + ": cannot be removed: " + failure.message());
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

std::vector<CheckpointFolder> list_checkpoints(const fs::path& checkpoints) {
  std::vector<CheckpointFolder> found;
  for (const fs::path& folder : subfolders(checkpoints)) {
    if (const auto step = step_of_checkpoint(folder.filename())) found.push_back({*step, folder});
  }
  std::sort(found.begin(), found.end(), [](const auto& left, const auto& right) { return left.step < right.step; });
  return found;
}

std::vector<fs::path> list_incomplete(const fs::path& checkpoints) {
  std::vector<fs::path> found;
  for (const fs::path& folder : subfolders(checkpoints)) {
    const std::string name = folder.filename();
    const bool cut_short = name.starts_with(kPrefix) && name.ends_with(kIncompleteSuffix);
    if (cut_short || (step_of_checkpoint(name) && !is_done(folder))) found.push_back(folder);
  }
  return found;
}

void prune_checkpoints(const fs::path& checkpoints, std::int64_t keep) {
  for (const fs::path& leftover : list_incomplete(checkpoints)) remove_checkpoint(leftover);
  const auto whole = list_checkpoints(checkpoints);
  const auto kept = static_cast<std::size_t>(std::max<std::int64_t>(1, keep));
  if (whole.size() <= kept) return;
  for (std::size_t i = 0; i < whole.size() - kept; ++i) remove_checkpoint(whole[i].path);
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
