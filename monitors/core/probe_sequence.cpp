#include "monitors/core/probe_sequence.h"

#include <algorithm>

#include "data/support/error.h"

namespace rim {
namespace {

Message user_turn(const Prompt& prompt) { return {.role = "user", .content = prompt.text, .reasoning = ""}; }

void append_response(ProbeSequence& sequence, const std::vector<RenderedPiece>& pieces, const Tokenizer& tokenizer) {
  std::vector<TokenId> tokens;
  std::size_t begin = 0, end = 0;
  for (const RenderedPiece& piece : pieces) {
    const std::vector<TokenId> encoded = tokenizer.encode(piece.spans);
    if (piece.trained && end == 0) begin = tokens.size();
    tokens.insert(tokens.end(), encoded.begin(), encoded.end());
    if (piece.trained) end = tokens.size();
  }
  tokens.resize(end);  // nothing after the turn's end token is asked for
  if (tokens.size() < sequence.tokens.size() ||
      !std::equal(sequence.tokens.begin(), sequence.tokens.end(), tokens.begin())) {
    throw Error(ExitCode::software, "the chat template renders the prompt and the whole conversation differently");
  }
  sequence.tokens = std::move(tokens);
  sequence.response = {.begin = static_cast<std::int64_t>(begin), .end = static_cast<std::int64_t>(end)};
}

}  // namespace

std::vector<TokenId> prompt_tokens(const Prompt& prompt, ThinkingMode thinking, const Tokenizer& tokenizer,
                                   const ChatTemplate& chat_template) {
  return tokenizer.encode(chat_template.render_prompt({user_turn(prompt)}, thinking));
}

ProbeSequence probe_sequence(const Prompt& prompt, ThinkingMode thinking, bool with_response,
                             const Tokenizer& tokenizer, const ChatTemplate& chat_template) {
  ProbeSequence sequence;
  sequence.tokens = prompt_tokens(prompt, thinking, tokenizer, chat_template);
  const auto length = static_cast<std::int64_t>(sequence.tokens.size());
  sequence.prompt = {.begin = 0, .end = length};
  sequence.response = {.begin = length, .end = length};
  if (with_response && !prompt.response.empty()) {
    const Message answer{.role = "assistant", .content = prompt.response, .reasoning = prompt.reasoning};
    append_response(sequence, chat_template.render({user_turn(prompt), answer}, thinking), tokenizer);
  }
  return sequence;
}

TokenRange region_range(const ProbeSequence& sequence, TokenRegion region) {
  switch (region) {
    case TokenRegion::prompt:
      return sequence.prompt;
    case TokenRegion::last_prompt:
      return {.begin = sequence.prompt.end - 1, .end = sequence.prompt.end};
    case TokenRegion::all:
      return {.begin = 0, .end = static_cast<std::int64_t>(sequence.tokens.size())};
    case TokenRegion::response:
      break;
  }
  if (sequence.response.begin == sequence.response.end) {
    throw Error(ExitCode::config, "the token region 'response' needs a reference response, and there is none");
  }
  return sequence.response;
}

bool reads_response(TokenRegion region) { return region == TokenRegion::response || region == TokenRegion::all; }

}  // namespace rim
