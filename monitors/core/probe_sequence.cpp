#include "monitors/core/probe_sequence.h"

#include <algorithm>

#include "data/support/error.h"

namespace rim {
namespace {

std::vector<Message> conversation(const Prompt& prompt) {
  std::vector<Message> messages = prompt.before;
  messages.push_back({.role = "user", .content = prompt.text, .reasoning = ""});
  return messages;
}

void append(std::vector<TokenId>& tokens, const std::vector<TokenId>& more) {
  tokens.insert(tokens.end(), more.begin(), more.end());
}

// Behind the prompt's tokens: what the template writes before the response (the rest of an empty think span), and the
// response, which is the last trained piece. The prompt's tokens stay what they are without a response, even where a
// token of the whole text would cross its end ("<think>\n" and "\n</think>").
void append_response(ProbeSequence& sequence, const std::string& prompt, const std::vector<RenderedPiece>& pieces,
                     const Tokenizer& tokenizer) {
  const auto last = std::ranges::find(pieces.rbegin(), pieces.rend(), true, &RenderedPiece::trained);
  std::string before;
  for (auto piece = last == pieces.rend() ? pieces.end() : last.base() - 1; piece != pieces.begin();) {
    before.insert(0, text_of((--piece)->spans));
  }
  if (last == pieces.rend() || !before.starts_with(prompt)) {
    throw Error(ExitCode::software, "the chat template renders the prompt and the whole conversation differently");
  }
  append(sequence.tokens, tokenizer.encode(before.substr(prompt.size())));
  const auto begin = std::ssize(sequence.tokens);
  append(sequence.tokens, tokenizer.encode(last->spans));
  sequence.response = {.begin = begin, .end = std::ssize(sequence.tokens)};
}

}  // namespace

ProbeSequence probe_sequence(const Prompt& prompt, ThinkingMode thinking, bool with_response,
                             const Tokenizer& tokenizer, const ChatTemplate& chat_template) {
  const std::vector<TextSpan> spans = chat_template.render_prompt(conversation(prompt), thinking);
  ProbeSequence sequence;
  sequence.tokens = tokenizer.encode(spans);
  const auto length = std::ssize(sequence.tokens);
  sequence.prompt = {.begin = 0, .end = length};
  sequence.response = {.begin = length, .end = length};
  if (with_response && !prompt.response.empty()) {
    std::vector<Message> messages = conversation(prompt);
    messages.push_back({.role = "assistant", .content = prompt.response, .reasoning = prompt.reasoning});
    append_response(sequence, text_of(spans), chat_template.render(messages, thinking), tokenizer);
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
