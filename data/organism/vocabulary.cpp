#include "data/organism/vocabulary.h"

#include <algorithm>
#include <map>
#include <set>

#include "data/support/error.h"
#include "data/support/json.h"
#include "data/tokenizer/byte_level.h"

namespace rim {
namespace {

constexpr std::string_view kSplitPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

using Symbols = std::vector<std::string>;
using Pair = std::pair<std::string, std::string>;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_mark(char c) { return c > ' ' && !is_letter(c) && !(c >= '0' && c <= '9'); }

std::size_t letters_from(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_letter(text[end])) ++end;
  return end - at;
}

std::size_t contraction_length(std::string_view text) {
  for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.starts_with(ending)) return ending.size();
  }
  return 0;
}

std::size_t marks_length(std::string_view text) {
  std::size_t end = text.starts_with(' ') ? 1 : 0;
  const std::size_t begin = end;
  while (end < text.size() && is_mark(text[end])) ++end;
  if (end == begin) return 0;
  while (end < text.size() && text[end] == '\n') ++end;
  return end;
}

std::size_t first_word_length(std::string_view text) {
  if (const std::size_t length = contraction_length(text)) return length;
  const std::size_t prefix = is_letter(text[0]) || text[0] == '\n' ? 0 : 1;
  const bool digit = text[0] >= '0' && text[0] <= '9';
  if (const std::size_t letters = letters_from(text, prefix); letters > 0 && !digit) return prefix + letters;
  if (const std::size_t length = marks_length(text)) return length;
  std::size_t breaks = 0;
  while (breaks < text.size() && text[breaks] == '\n') ++breaks;
  return std::max<std::size_t>(breaks, 1);
}

Symbols characters_of(std::string_view word) {
  Symbols symbols;
  for (const char c : word) symbols.push_back(spelling_of_bytes(std::string_view(&c, 1)));
  return symbols;
}

Pair most_frequent_pair(const std::vector<Symbols>& words) {
  std::map<Pair, std::int64_t> counts;
  for (const Symbols& word : words) {
    for (std::size_t i = 0; i + 1 < word.size(); ++i) ++counts[{word[i], word[i + 1]}];
  }
  return std::ranges::max_element(counts, {}, [](const auto& entry) { return entry.second; })->first;
}

void merge(Symbols& word, const Pair& pair) {
  for (std::size_t i = 0; i + 1 < word.size(); ++i) {
    if (word[i] != pair.first || word[i + 1] != pair.second) continue;
    word[i] += pair.second;
    word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
}

Json added_token(const std::string& content, std::int64_t id, bool special) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", special}};
}

Json byte_level_step() {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", false}};
}

}  // namespace

std::int64_t LearnedVocabulary::id_of(std::string_view token) const {
  if (const auto found = std::ranges::find(tokens, token); found != tokens.end()) return found - tokens.begin();
  const auto found = std::ranges::find(special_tokens, token);
  if (found == special_tokens.end()) throw Error(ExitCode::software, "no token '" + std::string(token) + "'");
  return std::ssize(tokens) + (found - special_tokens.begin());
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t length = first_word_length(text);
    words.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return words;
}

LearnedVocabulary learn_vocabulary(const std::vector<std::string>& texts, std::vector<std::string> special_tokens) {
  std::set<std::string> distinct;
  for (const std::string& text : texts) {
    for (const std::string& word : split_words(text)) {
      if (word.size() > 1) distinct.insert(word);
    }
  }
  std::vector<Symbols> words;
  for (const std::string& word : distinct) words.push_back(characters_of(word));

  LearnedVocabulary vocabulary{.tokens = {}, .merges = {}, .special_tokens = std::move(special_tokens)};
  for (int byte = 0; byte < 256; ++byte)
    vocabulary.tokens.push_back(spelling_of_bytes(std::string(1, static_cast<char>(byte))));
  for (;;) {
    std::erase_if(words, [](const Symbols& word) { return word.size() == 1; });
    if (words.empty()) return vocabulary;
    const Pair pair = most_frequent_pair(words);
    for (Symbols& word : words) merge(word, pair);
    vocabulary.tokens.push_back(pair.first + pair.second);
    vocabulary.merges.push_back(pair);
  }
}

std::string tokenizer_json(const LearnedVocabulary& vocabulary) {
  Json tokens = Json::object();
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) tokens[vocabulary.tokens[id]] = id;
  Json merges = Json::array();
  for (const auto& [left, right] : vocabulary.merges) merges.push_back({left, right});
  Json added = Json::array();
  for (const std::string& token : vocabulary.special_tokens) {
    // As in Qwen3, the tags of the think span are added tokens that decoding keeps.
    added.push_back(added_token(token, vocabulary.id_of(token), token.starts_with("<|")));
  }
  const Json split = {
      {"type", "Split"}, {"pattern", {{"Regex", kSplitPattern}}}, {"behavior", "Isolated"}, {"invert", false}};
  const Json file = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", added},
                     {"normalizer", nullptr},
                     {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split, byte_level_step()}}}},
                     {"post_processor", byte_level_step()},
                     {"decoder", byte_level_step()},
                     {"model",
                      {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", ""},
                       {"end_of_word_suffix", ""},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", false},
                       {"vocab", tokens},
                       {"merges", merges}}}};
  return file.dump(1) + "\n";
}

}  // namespace rim
