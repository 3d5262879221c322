// Cuts text into the words that byte-pair merging stays inside of.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/support/json.h"
#include "data/tokenizer/split_pattern.h"

namespace rim {

// Immutable, thread-safe.
class PreTokenizer {
 public:
  // tokenizer.json's "pre_tokenizer": ByteLevel, or a Sequence of Split (by Regex) and Digits that ends in ByteLevel.
  // Throws Error(bad_data), headed by `origin`, that names any other kind or setting.
  static PreTokenizer from_json(const Json& description, const std::string& origin);
  // GPT-2's own, for folders with vocab.json and merges.txt.
  static PreTokenizer gpt2();

  // Hands the words to `emit` from left to right. A word is valid only during the call. `text` is valid UTF-8.
  void split(std::string_view text, const std::function<void(std::string_view word)>& emit) const;

 private:
  // What one pre-tokenizer of a Sequence does to each piece that the one before it left.
  struct Stage {
    bool adds_prefix_space = false;
    std::vector<SplitPattern> pattern;  // none or one
    bool keeps_matches = true;
    bool keeps_gaps = true;
  };
  class Run;

  static Stage split_stage(const Json& description, const std::string& origin);
  static Stage digits_stage(const Json& description, const std::string& origin);
  static Stage byte_level_stage(const Json& description, const std::string& origin);

  std::vector<Stage> stages_;
};

}  // namespace rim
