// Spellings and ids, both ways.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rim {

// Lets string_view look up std::string keys without a copy.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <typename Value>
using StringMap = std::unordered_map<std::string, Value, StringHash, std::equal_to<>>;

class Vocabulary {
 public:
  // Throws Error(bad_data), headed by `origin`, for an id that is negative, implausibly large or taken, and for a
  // spelling that is taken.
  void add(const std::string& spelling, std::int64_t id, const std::string& origin);

  [[nodiscard]] std::optional<std::int64_t> find(std::string_view spelling) const;
  // Empty for an id that no token has.
  [[nodiscard]] const std::string& spelling(std::int64_t id) const { return spellings_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] bool contains(std::int64_t id) const { return id >= 0 && id < end() && !spelling(id).empty(); }
  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(ids_.size()); }
  // Largest id + 1.
  [[nodiscard]] std::int64_t end() const { return static_cast<std::int64_t>(spellings_.size()); }

 private:
  StringMap<std::int64_t> ids_;
  std::vector<std::string> spellings_;
};

}  // namespace rim
