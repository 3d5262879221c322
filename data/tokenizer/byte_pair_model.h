// Byte-pair encoding of one word (Sennrich et al. 2016, arXiv 1508.07909), over bytes, as Hugging Face's BPE model.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/tokenizer/merge_table.h"
#include "data/tokenizer/vocabulary.h"

namespace rim {

struct BytePairOptions {
  bool ignore_merges = false;            // a word that is a token is that token, whatever the merges say
  std::optional<std::string> unk_token;  // stands for bytes without a token; without it they are left out
  bool fuse_unk = false;                 // neighbouring unknown bytes give one unknown token
};

// Immutable, thread-safe; each thread brings its own Scratch.
class BytePairModel {
 public:
  using MergeRule = std::pair<std::string, std::string>;  // spellings of left and right, most urgent first

  // Working memory, kept between words to save allocations.
  struct Scratch;

  // `barred`: the tokens only template text may become; neither merges nor whole words yield them.
  // Throws Error(bad_data), headed by `origin`, for a merge of or into an unknown token.
  BytePairModel(const Vocabulary& vocabulary, const std::vector<MergeRule>& merges, const std::vector<bool>& barred,
                const BytePairOptions& options, const std::string& origin);

  // Appends the tokens of `word`, raw bytes. n log n in the length of the word.
  void encode(std::string_view word, Scratch& scratch, std::vector<std::int64_t>& ids) const;

 private:
  void add_merges(const Vocabulary& vocabulary, const std::vector<MergeRule>& merges, const std::vector<bool>& barred,
                  const std::string& origin);
  void add_bytes(const Vocabulary& vocabulary, const BytePairOptions& options, const std::string& origin);
  void add_words(const Vocabulary& vocabulary, const std::vector<bool>& barred);
  void start(std::string_view word, Scratch& scratch) const;
  void propose(std::uint32_t left, Scratch& scratch) const;
  void merge_all(Scratch& scratch) const;

  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  MergeTable merges_;
  std::array<std::uint32_t, 256> byte_ids_{};  // kNone: the byte has no token
  std::uint32_t unknown_ = kNone;
  bool fuse_unknown_ = false;
  StringMap<std::int64_t> words_;  // filled where merges are to be ignored
};

struct BytePairModel::Scratch {
  struct Symbol {
    std::uint32_t id;
    std::uint32_t previous;  // kNone at the ends
    std::uint32_t next;
  };
  struct Candidate {
    std::uint64_t urgency;  // rank, then position: the smallest is merged first
    std::uint32_t result;
    bool operator>(const Candidate& other) const { return urgency > other.urgency; }
  };
  std::vector<Symbol> symbols;  // a linked list in the order of the word; merged-away symbols have id kNone
  std::vector<Candidate> heap;
};

}  // namespace rim
