#include "data/tokenizer/vocabulary.h"

#include "data/support/error.h"

namespace rim {
namespace {

// The largest vocabularies have a quarter of a million tokens; beyond this an id would only cost memory.
constexpr std::int64_t kLargestId = (std::int64_t{1} << 22) - 1;

}  // namespace

void Vocabulary::add(const std::string& spelling, std::int64_t id, const std::string& origin) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ExitCode::bad_data,
                origin + ": the token '" + spelling + "' has id " + std::to_string(id) + ", " + why);
  };
  if (spelling.empty()) throw Error(ExitCode::bad_data, origin + ": a token has an empty spelling");
  if (id < 0 || id > kLargestId) refuse("outside 0.." + std::to_string(kLargestId));
  if (contains(id)) refuse("which '" + this->spelling(id) + "' has too");
  if (!ids_.emplace(spelling, id).second) refuse("but has another id already");
  if (id >= end()) spellings_.resize(static_cast<std::size_t>(id) + 1);
  spellings_[static_cast<std::size_t>(id)] = spelling;
}

std::optional<std::int64_t> Vocabulary::find(std::string_view spelling) const {
  const auto found = ids_.find(spelling);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

}  // namespace rim
