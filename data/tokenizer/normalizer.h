// Unicode normalisation form C as Hugging Face's `tokenizers` does it.
#pragma once

#include <memory>

#include "data/tokenizer/marked_text.h"

namespace rim {

// `tokenizers` normalises with tables of Unicode 9, so younger combining marks keep their places there; characters
// younger than Unicode 9 are left alone here too, whatever version the installed ICU knows.
// Immutable, thread-safe.
class NfcNormalizer {
 public:
  NfcNormalizer();
  ~NfcNormalizer();
  NfcNormalizer(NfcNormalizer&&) noexcept;
  NfcNormalizer& operator=(NfcNormalizer&&) noexcept;

  // A quick test that holds for most text: true where nothing has to be done.
  [[nodiscard]] static bool surely_normalized(std::string_view text);
  // `input.text` is valid UTF-8. A byte of the result is literal where a byte it was made of is.
  [[nodiscard]] MarkedText normalize(MarkedView input) const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace rim
