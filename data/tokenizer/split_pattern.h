// A compiled split rule and the search for its matches, by PCRE2's just-in-time compiler.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace rim {

// Immutable, thread-safe; each thread searches with a Search of its own.
class SplitPattern {
 public:
  struct Range {
    std::size_t begin;
    std::size_t end;
  };
  class Search;

  // `pattern`: Oniguruma's syntax, see regex_translation.h. Throws Error(bad_data) headed by `origin`.
  SplitPattern(std::string_view pattern, const std::string& origin);
  ~SplitPattern();
  SplitPattern(SplitPattern&&) noexcept;
  SplitPattern& operator=(SplitPattern&&) noexcept;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
};

// The working memory of searches. Not thread-safe; must not outlive the pattern.
class SplitPattern::Search {
 public:
  explicit Search(const SplitPattern& pattern);
  ~Search();
  Search(Search&&) noexcept;
  Search& operator=(Search&&) noexcept;

  // The first match that starts at `from` or later; `text` is valid UTF-8 and `from` a border of characters.
  // Throws Error(bad_data) where the pattern needs more steps or memory than its limits allow.
  [[nodiscard]] std::optional<Range> next(std::string_view text, std::size_t from);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rim
