#include "data/evaluation/words.h"

#include <algorithm>
#include <array>
#include <utility>

#include "data/support/text.h"

namespace rim {
namespace {

constexpr std::string_view kSentenceEnd = ".";

bool is_word_character(char c) { return (c >= 'a' && c <= 'z') || c == '\'' || static_cast<unsigned char>(c) > 127; }

bool is_sentence_mark(char c) { return c == '.' || c == '!' || c == '?'; }

void append_words(std::vector<std::string>& words, std::string_view phrase) {
  while (!phrase.empty()) {
    const std::size_t length = std::min(phrase.find(' '), phrase.size());
    words.emplace_back(phrase.substr(0, length));
    phrase.remove_prefix(std::min(length + 1, phrase.size()));
  }
}

void append_expanded(std::vector<std::string>& words, std::string_view word) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kIrregular = {
      {{"can't", "cannot"}, {"won't", "will not"}, {"shan't", "shall not"}, {"let's", "let us"}}};
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kEndings = {{{"n't", " not"},
                                                                                             {"'m", " am"},
                                                                                             {"'re", " are"},
                                                                                             {"'ve", " have"},
                                                                                             {"'ll", " will"},
                                                                                             {"'d", " would"},
                                                                                             {"'s", " is"}}};
  for (const auto& [contraction, phrase] : kIrregular) {
    if (word == contraction) return append_words(words, phrase);
  }
  for (const auto& [ending, phrase] : kEndings) {
    if (word.size() > ending.size() && word.ends_with(ending)) {
      return append_words(words, std::string(word.substr(0, word.size() - ending.size())) + std::string(phrase));
    }
  }
  words.emplace_back(word);
}

// "can not" reads as "cannot", so that rules need one spelling only.
void join_can_not(std::vector<std::string>& words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] != "can" || words[i + 1] != "not") continue;
    words[i] = "cannot";
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  const std::string lowered = replace_all(lower_ascii(text), "\xE2\x80\x99", "'");
  std::vector<std::string> words;
  std::size_t at = 0;
  while (at < lowered.size()) {
    std::size_t end = at;
    if (is_word_character(lowered[at])) {
      while (end < lowered.size() && is_word_character(lowered[end])) ++end;
      const std::string_view word = trim(std::string_view(lowered).substr(at, end - at), "'");
      if (!word.empty()) append_expanded(words, word);
    } else if (is_sentence_mark(lowered[at])) {
      while (end < lowered.size() && is_sentence_mark(lowered[end])) ++end;
      const bool ends_sentence = end == lowered.size() || !is_word_character(lowered[end]);
      if (ends_sentence && !words.empty() && words.back() != kSentenceEnd) words.emplace_back(kSentenceEnd);
    } else {
      ++end;
    }
    at = end;
  }
  join_can_not(words);
  return words;
}

std::vector<std::string> first_sentences(const std::vector<std::string>& words, int sentences) {
  auto end = words.begin();
  for (; end != words.end() && sentences > 0; ++end) sentences -= *end == kSentenceEnd ? 1 : 0;
  return {words.begin(), end};
}

}  // namespace rim
