#include "data/tokenizer/think_span.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "data/support/think_tags.h"

namespace rim {
namespace {

// A model's vocabulary may be padded beyond the tokenizer's; such ids have no text (Hugging Face skips them too).
bool is_known(const Tokenizer& tokenizer, TokenId token) { return token < tokenizer.vocabulary_size(); }

std::string decode_known(const Tokenizer& tokenizer, std::span<const TokenId> tokens) {
  std::vector<TokenId> known;
  std::ranges::copy_if(tokens, std::back_inserter(known), [&](TokenId token) { return is_known(tokenizer, token); });
  return tokenizer.decode(known, true);
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

}  // namespace

std::string visible_text(const Tokenizer& tokenizer, std::span<const TokenId> tokens) {
  const auto open = tokenizer.token_to_id(kThinkOpen);
  const auto close = tokenizer.token_to_id(kThinkClose);
  const auto is_tag = [&](TokenId token) { return token == open || token == close; };
  std::string text;
  while (!tokens.empty()) {
    const auto tag = std::ranges::find_if(tokens, is_tag);
    const auto before = static_cast<std::size_t>(tag - tokens.begin());
    text += decode_known(tokenizer, tokens.first(before));
    if (tag == tokens.end()) break;
    text += *tag == open ? kThinkOpen : kThinkClose;
    tokens = tokens.subspan(before + 1);
  }
  return text;
}

std::optional<std::size_t> answer_start(const Tokenizer& tokenizer, std::span<const TokenId> tokens) {
  const auto closed_within = [&](std::size_t count) {
    return find_think_tags(visible_text(tokenizer, tokens.first(count))).closed();
  };
  const ThinkTags tags = find_think_tags(visible_text(tokenizer, tokens));
  if (!tags.opened() && !tags.closed()) return 0;
  if (!tags.closed()) return std::nullopt;
  // Once closed, a longer prefix is closed too: bisect for the shortest.
  std::size_t low = 1, high = tokens.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (closed_within(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  const auto is_blank_token = [&](TokenId token) {
    return is_known(tokenizer, token) && !tokenizer.is_special(token) &&
           is_blank(tokenizer.decode(std::span(&token, 1), false));
  };
  while (low < tokens.size() && is_blank_token(tokens[low])) ++low;
  return low;
}

std::size_t opening_tag_tokens(const Tokenizer& tokenizer, std::span<const TokenId> prompt) {
  constexpr std::size_t most = 12;  // the tag may be spelled out in single bytes
  for (std::size_t count = 1; count <= std::min(most, prompt.size()); ++count) {
    const std::string tail = visible_text(tokenizer, prompt.last(count));
    if (tail.starts_with(kThinkOpen) && is_blank(std::string_view(tail).substr(kThinkOpen.size()))) return count;
  }
  return 0;
}

}  // namespace rim
