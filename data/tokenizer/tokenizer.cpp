#include "data/tokenizer/tokenizer.h"

#include <functional>

#include "data/support/error.h"
#include "data/tokenizer/byte_level.h"
#include "data/tokenizer/normalizer.h"
#include "data/tokenizer/tokenizer_file.h"
#include "data/tokenizer/utf8.h"

namespace rim {
namespace {

// The spelling by which a token is found in the text.
std::string sought_spelling(const AddedToken& token, const NfcNormalizer* normalizer) {
  return token.normalized && normalizer != nullptr ? normalizer->normalize({token.content, {}}).text : token.content;
}

AddedTokenMatcher make_matcher(const std::vector<AddedToken>& tokens, bool normalized,
                               const NfcNormalizer* normalizer) {
  std::vector<AddedTokenMatcher::Entry> entries;
  for (const AddedToken& token : tokens) {
    if (token.normalized == normalized) entries.push_back({sought_spelling(token, normalizer), token});
  }
  return AddedTokenMatcher(std::move(entries));
}

// What decode puts for each token: the bytes it stands for, or its spelling where that is outside the byte alphabet.
std::vector<std::string> make_token_bytes(const TokenizerParts& parts, const NfcNormalizer* normalizer) {
  const auto bytes_of = [](const std::string& spelling) { return bytes_of_spelling(spelling).value_or(spelling); };
  std::vector<std::string> bytes;
  bytes.reserve(static_cast<std::size_t>(parts.vocabulary.end()));
  for (std::int64_t id = 0; id < parts.vocabulary.end(); ++id) bytes.push_back(bytes_of(parts.vocabulary.spelling(id)));
  for (const AddedToken& token : parts.added_tokens) {
    bytes[static_cast<std::size_t>(token.id)] = bytes_of(sought_spelling(token, normalizer));
  }
  return bytes;
}

MarkedText join_spans(std::span<const TextSpan> spans) {
  MarkedText joined;
  for (const TextSpan& span : spans) {
    joined.text += is_valid_utf8(span.text) ? span.text : replace_invalid_utf8(span.text);
    joined.literal.resize(joined.text.size(), span.literal ? '\1' : '\0');
  }
  return joined;
}

}  // namespace

struct Tokenizer::Implementation {
  explicit Implementation(TokenizerParts read)
      : parts(std::move(read)),
        normalizer(parts.nfc ? std::make_unique<NfcNormalizer>() : nullptr),
        plain_tokens(make_matcher(parts.added_tokens, false, normalizer.get())),
        normalized_tokens(make_matcher(parts.added_tokens, true, normalizer.get())),
        token_bytes(make_token_bytes(parts, normalizer.get())),
        special(static_cast<std::size_t>(parts.vocabulary.end())) {
    for (const AddedToken& token : parts.added_tokens) special[static_cast<std::size_t>(token.id)] = token.special;
  }

  [[nodiscard]] std::vector<TokenId> encode(MarkedView text) const;
  void encode_normalized(MarkedView text, BytePairModel::Scratch& scratch, std::vector<TokenId>& ids) const;

  TokenizerParts parts;
  std::unique_ptr<NfcNormalizer> normalizer;  // null: text is taken as it is
  AddedTokenMatcher plain_tokens;             // found before normalisation
  AddedTokenMatcher normalized_tokens;        // and after it
  std::vector<std::string> token_bytes;
  std::vector<bool> special;
};

std::vector<TokenId> Tokenizer::Implementation::encode(MarkedView text) const {
  std::vector<TokenId> ids;
  BytePairModel::Scratch scratch;
  for (const auto& segment : plain_tokens.split(text)) {
    const MarkedView piece = text.substr(segment.begin, segment.end - segment.begin);
    if (segment.token) {
      ids.push_back(*segment.token);
    } else if (normalizer == nullptr || NfcNormalizer::surely_normalized(piece.text)) {
      encode_normalized(piece, scratch, ids);
    } else {
      encode_normalized(normalizer->normalize(piece).view(), scratch, ids);
    }
  }
  return ids;
}

void Tokenizer::Implementation::encode_normalized(MarkedView text, BytePairModel::Scratch& scratch,
                                                  std::vector<TokenId>& ids) const {
  const auto encode_word = [&](std::string_view word) { parts.model.encode(word, scratch, ids); };
  for (const auto& segment : normalized_tokens.split(text)) {
    if (segment.token) {
      ids.push_back(*segment.token);
    } else {
      parts.pre_tokenizer.split(text.text.substr(segment.begin, segment.end - segment.begin), encode_word);
    }
  }
}

Tokenizer::Tokenizer(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

Tokenizer Tokenizer::load(const std::filesystem::path& path) {
  return Tokenizer(std::make_unique<Implementation>(read_tokenizer(path)));
}

std::vector<TokenId> Tokenizer::encode(std::string_view text) const {
  if (is_valid_utf8(text)) return implementation_->encode({text, {}});
  return implementation_->encode({replace_invalid_utf8(text), {}});
}

std::vector<TokenId> Tokenizer::encode(std::span<const TextSpan> spans) const {
  return implementation_->encode(join_spans(spans).view());
}

std::vector<TokenId> Tokenizer::encode_whole_text(std::string_view text) const {
  std::vector<TokenId> ids = implementation_->parts.text_start;
  const std::vector<TokenId> words = encode(text);
  ids.insert(ids.end(), words.begin(), words.end());
  return ids;
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skip_special_tokens) const {
  std::string bytes;
  for (const TokenId id : ids) {
    if (id < 0 || id >= vocabulary_size()) {
      throw Error(ExitCode::bad_data, "token id " + std::to_string(id) + " is outside the vocabulary of " +
                                          std::to_string(vocabulary_size()) + " tokens");
    }
    if (!skip_special_tokens || !is_special(id)) bytes += implementation_->token_bytes[static_cast<std::size_t>(id)];
  }
  return replace_invalid_utf8(bytes);
}

std::string text_of(const std::vector<TextSpan>& spans) {
  std::string text;
  for (const TextSpan& span : spans) text += span.text;
  return text;
}

std::optional<TokenId> Tokenizer::token_to_id(std::string_view content) const {
  return implementation_->parts.vocabulary.find(content);
}

bool Tokenizer::is_special(TokenId id) const {
  return id >= 0 && id < vocabulary_size() && implementation_->special[static_cast<std::size_t>(id)];
}

std::int64_t Tokenizer::vocabulary_size() const { return implementation_->parts.vocabulary.end(); }

}  // namespace rim
