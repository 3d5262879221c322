#include "data/evaluation/loops.h"

#include <algorithm>
#include <set>

#include "data/evaluation/characters.h"

namespace rim {
namespace {

constexpr std::size_t kLeastWords = 6;
constexpr double kLeastDistinctTrigrams = 0.5;
constexpr std::size_t kLeastCharacters = 12;
constexpr std::size_t kLongestPeriod = 500;  // keeps the search cheap; whole paragraphs that repeat hold words

bool words_loop(const std::vector<std::string>& words) {
  if (words.size() < kLeastWords) return false;
  std::set<std::string> trigrams;
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    trigrams.insert(words[i] + " " + words[i + 1] + " " + words[i + 2]);
  }
  return static_cast<double>(trigrams.size()) < kLeastDistinctTrigrams * static_cast<double>(words.size() - 2);
}

bool characters_loop(const std::vector<std::string_view>& characters) {
  const std::size_t count = characters.size();
  if (count < kLeastCharacters) return false;
  for (std::size_t period = 1; period <= std::min(count / 2, kLongestPeriod); ++period) {
    std::size_t repeated = 0;
    for (std::size_t i = period; i < count; ++i) repeated += characters[i] == characters[i - period] ? 1U : 0U;
    if (2 * repeated > count) return true;
  }
  return false;
}

}  // namespace

bool loops(std::string_view text, const std::vector<std::string>& words) {
  return words_loop(words) || characters_loop(visible_characters(text));
}

}  // namespace rim
