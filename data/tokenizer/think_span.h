// Generated tokens as readable text, and where the answer begins in them.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "data/tokenizer/tokenizer.h"

namespace rim {

// Decoded without special tokens, except that <think> and </think> stay visible where the tokenizer has them as special
// tokens (it hides them otherwise, and a judge could not tell thought from answer). Ids beyond the tokenizer's
// vocabulary, which padded models can generate, are left out.
std::string visible_text(const Tokenizer& tokenizer, std::span<const TokenId> tokens);

// Number of generated tokens before the answer: those of the think span through "</think>" and the blank tokens after
// it; 0 where there is no span; nothing where one was opened and not closed. (A closing tag alone ends a span that the
// prompt opened.) Works with the tags as single tokens and spelled out; a token that straddles the closing tag's end
// counts as the span's.
std::optional<std::size_t> answer_start(const Tokenizer& tokenizer, std::span<const TokenId> tokens);

// Number of tokens at the prompt's end that open a think span for the model (some templates do), blank ones after the
// tag included; 0 where the prompt leaves that to the model.
std::size_t opening_tag_tokens(const Tokenizer& tokenizer, std::span<const TokenId> prompt);

}  // namespace rim
