// Byte-level BPE as Hugging Face's tokenizer.json describes it (GPT-2, Qwen, Llama-3, OLMo, MiniMind, SmolLM2), token
// for token equal to the `tokenizers` library. A folder with GPT-2's vocab.json + merges.txt is read too.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rim {

using TokenId = std::int64_t;

// A stretch of text to encode. In literal text, spellings of special tokens ("<|im_end|>") and of tags ("<think>") stay
// plain characters, so that nothing a message says can end a turn; in template text they become the tokens. (Plain
// prompt/completion pairs are template text: what they spell out is meant.)
struct TextSpan {
  std::string text;
  bool literal = false;
  bool operator==(const TextSpan&) const = default;
};

// Their texts, one after the other.
std::string text_of(const std::vector<TextSpan>& spans);

// Immutable after construction; all const members are thread-safe.
class Tokenizer {
 public:
  // `path`: a tokenizer.json, or a folder holding one (or vocab.json and merges.txt).
  // Throws Error(no_input) for a missing file, Error(bad_data) for a malformed one or an unsupported kind of model,
  // normalizer or pre-tokenizer, which it names.
  static Tokenizer load(const std::filesystem::path& path);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  // As Hugging Face's encode(text, add_special_tokens=False): special spellings are recognised.
  [[nodiscard]] std::vector<TokenId> encode(std::string_view text) const;
  // The spans are joined first, so tokens may cross from template into literal text exactly as they would in the
  // joined string; special tokens are recognised only where they lie wholly in template text.
  [[nodiscard]] std::vector<TokenId> encode(std::span<const TextSpan> spans) const;

  // As Hugging Face's tokenizer(text): what the file's post-processor puts before a text (Llama-3: <|begin_of_text|>;
  // mostly nothing) comes first, also where the text spells it itself. What it puts behind a text is left out.
  [[nodiscard]] std::vector<TokenId> encode_whole_text(std::string_view text) const;

  // As Hugging Face's decode(ids, clean_up_tokenization_spaces=False); invalid UTF-8 becomes U+FFFD.
  // Throws Error(bad_data) for an id outside the vocabulary.
  [[nodiscard]] std::string decode(std::span<const TokenId> ids, bool skip_special_tokens) const;

  [[nodiscard]] std::optional<TokenId> token_to_id(std::string_view content) const;
  [[nodiscard]] bool is_special(TokenId id) const;
  // Largest id + 1, added tokens included.
  [[nodiscard]] std::int64_t vocabulary_size() const;

 private:
  struct Implementation;
  explicit Tokenizer(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace rim
