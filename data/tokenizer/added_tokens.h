// Added tokens: spellings that are found in the text before it is cut into words, such as "<|im_end|>".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/tokenizer/marked_text.h"

namespace rim {

struct AddedToken {
  std::string content;
  std::int64_t id = 0;
  bool special = false;      // left out by decode(skip_special_tokens)
  bool single_word = false;  // only where no letter or digit touches it
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // and after it
  bool normalized = false;   // looked for in the normalised text
};

// Whether literal text must not become the token: what a data set or a user writes can neither end a turn nor open a
// think span. Other added tokens (runs of blanks, words) are spellings like any other.
bool barred_in_literal_text(const AddedToken& token);

// Finds the added tokens of one kind (normalized or not). Immutable, thread-safe.
class AddedTokenMatcher {
 public:
  struct Entry {
    std::string spelling;  // the content, normalised where the token is
    AddedToken token;
  };
  // A stretch of the text: a token, or text between tokens.
  struct Segment {
    std::size_t begin;
    std::size_t end;
    std::optional<std::int64_t> token;
  };

  explicit AddedTokenMatcher(std::vector<Entry> entries);

  // Cuts `text` at the tokens in it, leftmost and then longest first, as Hugging Face's AddedVocabulary does. Of
  // tokens barred in literal text, only spellings without a literal byte count. Empty stretches are left out.
  [[nodiscard]] std::vector<Segment> split(MarkedView text) const;

 private:
  [[nodiscard]] const Entry* longest_match(MarkedView text, std::size_t begin) const;

  std::vector<Entry> entries_;           // by spelling, so that those with a common prefix are neighbours
  std::array<bool, 256> first_bytes_{};  // where a spelling can start
};

}  // namespace rim
