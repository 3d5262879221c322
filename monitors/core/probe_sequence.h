// A prompt, and its reference response where there is one, as the tokens of a teacher-forced forward pass.
#pragma once

#include <cstdint>
#include <vector>

#include "data/examples/prompt_set.h"
#include "data/tokenizer/chat_template.h"
#include "data/tokenizer/tokenizer.h"
#include "monitors/core/probe.h"

namespace rim {

struct TokenRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;  // one past the last
  bool operator==(const TokenRange&) const = default;
};

struct ProbeSequence {
  std::vector<TokenId> tokens;
  TokenRange prompt;    // the rendered prompt
  TokenRange response;  // the reference response and the token that ends its turn; empty where there is none
};

// What was said before, the request as the user's turn, the assistant's header after it. With `with_response`, the
// reference response follows where the prompt has one, rendered as training renders it. An empty think span that the
// template puts before it belongs to neither range (of one that the prompt opens, what closes it does not).
ProbeSequence probe_sequence(const Prompt& prompt, ThinkingMode thinking, bool with_response,
                             const Tokenizer& tokenizer, const ChatTemplate& chat_template);

// Positions of the region. `all` of a prompt without a response is the prompt. Throws Error(config) where the region
// is `response` and there is none.
TokenRange region_range(const ProbeSequence& sequence, TokenRegion region);

// Whether the region needs the reference response in the forward pass.
bool reads_response(TokenRegion region);

}  // namespace rim
