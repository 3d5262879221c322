#include "launch/config/problems.h"

#include <algorithm>
#include <tuple>

#include "data/support/error.h"

namespace rim {

void Problems::raise() const {
  if (entries_.empty()) return;
  std::vector<Entry> ordered = entries_;
  std::stable_sort(ordered.begin(), ordered.end(), [](const Entry& left, const Entry& right) {
    const auto key = [](const Place& place) { return std::tuple(place.line == 0, place.line, place.column); };
    return key(left.place) < key(right.place);
  });
  std::string text;
  for (const Entry& entry : ordered) text += (text.empty() ? "" : "\n") + to_string(entry.place) + ": " + entry.message;
  throw Error(ExitCode::config, text);
}

}  // namespace rim
