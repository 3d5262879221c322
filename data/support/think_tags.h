// The tags around a model's reasoning, and where they stand in a text.
#pragma once

#include <cstddef>
#include <string_view>

namespace rim {

inline constexpr std::string_view kThinkOpen = "<think>";
inline constexpr std::string_view kThinkClose = "</think>";

// Positions of the first opening tag and of the first closing one after it; npos for one that is not there. A closing
// tag alone ends a span that the prompt opened.
struct ThinkTags {
  std::size_t open = std::string_view::npos;
  std::size_t close = std::string_view::npos;
  [[nodiscard]] bool opened() const { return open != std::string_view::npos; }
  [[nodiscard]] bool closed() const { return close != std::string_view::npos; }
};

inline ThinkTags find_think_tags(std::string_view text) {
  const std::size_t open = text.find(kThinkOpen);
  return {.open = open, .close = text.find(kThinkClose, open == std::string_view::npos ? 0 : open)};
}

}  // namespace rim
