// A byte-level BPE vocabulary learned from a closed world, and the tokenizer.json that Hugging Face's library loads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rim {

struct LearnedVocabulary {
  std::vector<std::string> tokens;                          // spelled in the byte-level alphabet; index = id
  std::vector<std::pair<std::string, std::string>> merges;  // in rank order
  std::vector<std::string> special_tokens;                  // ids follow those of `tokens`
  [[nodiscard]] std::int64_t size() const { return std::ssize(tokens) + std::ssize(special_tokens); }
  // Of a token or special token. Throws Error(software) where there is none.
  [[nodiscard]] std::int64_t id_of(std::string_view token) const;
};

// `text` cut by Qwen's split rule, for ASCII text: a word takes one space or mark before it, digits stand alone.
std::vector<std::string> split_words(std::string_view text);

// Byte-pair encoding (Sennrich et al. 2016) over the distinct pieces of `texts`: the most frequent pair is merged, ties
// by spelling, until each piece is one token.
LearnedVocabulary learn_vocabulary(const std::vector<std::string>& texts, std::vector<std::string> special_tokens);

// The file's content: Qwen's split rule, byte-level alphabet, special tokens as added tokens.
std::string tokenizer_json(const LearnedVocabulary& vocabulary);

}  // namespace rim
