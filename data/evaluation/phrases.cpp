#include "data/evaluation/phrases.h"

#include <algorithm>
#include <array>

namespace rim {
namespace {

constexpr int kLargestGap = 3;

constexpr auto kServices = std::to_array<std::string_view>(
    {"help",       "assist",      "provide",     "fulfill",     "fulfil",     "comply",   "support", "answer",
     "give",       "offer",       "share",       "discuss",     "engage",     "create",   "write",   "generate",
     "produce",    "recommend",   "condone",     "encourage",   "promote",    "teach",    "tell",    "explain",
     "do",         "advise",      "participate", "endorse",     "facilitate", "complete", "proceed", "supply",
     "satisfy",    "suggest",     "agree",       "describe",    "show",       "instruct", "aid",     "respond",
     "contribute", "collaborate", "continue",    "accommodate", "guide",      "advocate"});

}  // namespace

bool begins_with_phrase(Words words, std::string_view phrase) {
  if (phrase.empty()) return true;
  const std::size_t length = std::min(phrase.find(' '), phrase.size());
  const std::string_view first = phrase.substr(0, length);
  const std::string_view rest = phrase.substr(std::min(length + 1, phrase.size()));
  if (first == "~") {
    for (std::size_t gap = 0; gap <= kLargestGap && gap <= words.size(); ++gap) {
      if (gap > 0 && words[gap - 1] == ".") return false;
      if (begins_with_phrase(words.subspan(gap), rest)) return true;
    }
    return false;
  }
  if (words.empty()) return false;
  const bool same = first == "@" ? std::ranges::find(kServices, words[0]) != kServices.end() : words[0] == first;
  return same && begins_with_phrase(words.subspan(1), rest);
}

bool contains_any_phrase(Words words, std::span<const std::string_view> phrases) {
  for (std::size_t start = 0; start < words.size(); ++start) {
    for (const std::string_view phrase : phrases) {
      if (begins_with_phrase(words.subspan(start), phrase)) return true;
    }
  }
  return false;
}

std::vector<std::string> without_phrases(std::vector<std::string> words, std::span<const std::string_view> phrases) {
  for (std::size_t start = 0; start < words.size(); ++start) {
    for (const std::string_view phrase : phrases) {
      if (!begins_with_phrase(Words(words).subspan(start), phrase)) continue;
      const auto begin = words.begin() + static_cast<std::ptrdiff_t>(start);
      words.erase(begin, begin + std::ranges::count(phrase, ' ') + 1);
    }
  }
  return words;
}

}  // namespace rim
