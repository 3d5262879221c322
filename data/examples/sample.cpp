#include "data/examples/sample.h"

#include <algorithm>
#include <span>

#include "data/support/error.h"
#include "data/support/text.h"

namespace rim {
namespace {

void append(Sample& sample, std::span<const TokenId> tokens, bool trained) {
  sample.tokens.insert(sample.tokens.end(), tokens.begin(), tokens.end());
  sample.trained.insert(sample.trained.end(), tokens.size(), trained ? 1 : 0);
}

// Of a trained piece: nothing but the token that ends the turn is asked of the model.
bool says_nothing(const RenderedPiece& piece, std::string_view end_of_turn) {
  std::string text;
  for (const TextSpan& span : piece.spans) text += span.text;
  if (text.ends_with(end_of_turn)) text.resize(text.size() - end_of_turn.size());
  return trim(text).empty();
}

[[noreturn]] void refuse_empty(const std::string& origin, const std::string& what) {
  throw Error(ExitCode::bad_data, origin + ": nothing to train on: " + what);
}

Sample chat_sample(const Example& example, const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                   ThinkingMode thinking) {
  std::vector<bool> turns;  // by assistant turn: each is one trained piece of the rendering
  for (std::size_t i = 0; i < example.messages.size(); ++i) {
    if (example.messages[i].role == "assistant") turns.push_back(example.trained.at(i) != 0);
  }
  std::size_t turn = 0;
  Sample sample;
  for (const RenderedPiece& piece : chat_template.render(example.messages, thinking)) {
    const bool trained = piece.trained && turns.at(turn++);
    if (trained && says_nothing(piece, chat_template.end_of_turn())) {
      refuse_empty(example.origin, "an assistant turn has no text");
    }
    append(sample, tokenizer.encode(piece.spans), trained);
  }
  return sample;
}

// Tokenised as the joined text, unless a token would straddle the border: then prompt and completion each by itself, so
// that the mask begins where generation would.
Sample plain_sample(const Example& example, const Tokenizer& tokenizer, TokenId end_of_sequence) {
  if (trim(example.completion).empty()) refuse_empty(example.origin, "the completion has no text");
  const std::vector<TokenId> prompt = tokenizer.encode_whole_text(example.prompt);
  const std::vector<TokenId> joined = tokenizer.encode_whole_text(example.prompt + example.completion);
  const bool prompt_is_prefix =
      joined.size() >= prompt.size() && std::equal(prompt.begin(), prompt.end(), joined.begin());
  Sample sample;
  append(sample, prompt, false);
  if (prompt_is_prefix) {
    append(sample, std::span(joined).subspan(prompt.size()), true);
  } else {
    append(sample, tokenizer.encode(example.completion), true);
  }
  if (sample.tokens.size() == prompt.size()) refuse_empty(example.origin, "the completion gives no token");
  if (sample.tokens.back() != end_of_sequence) append(sample, {{end_of_sequence}}, true);
  return sample;
}

std::int64_t trained_tokens(const Sample& sample) {
  return static_cast<std::int64_t>(std::ranges::count(sample.trained, 1));
}

}  // namespace

std::vector<Sample> build_samples(const std::vector<Example>& examples, const Tokenizer& tokenizer,
                                  const ChatTemplate& chat_template, TokenId end_of_sequence,
                                  const SampleOptions& options, SampleStatistics& statistics) {
  if (options.max_length < 2) throw Error(ExitCode::config, "max_length must be at least 2");
  const auto max_length = static_cast<std::size_t>(options.max_length);
  std::vector<Sample> samples;
  for (const Example& example : examples) {
    Sample sample = example.messages.empty() ? plain_sample(example, tokenizer, end_of_sequence)
                                             : chat_sample(example, tokenizer, chat_template, options.thinking);
    if (!sample.trained.empty()) sample.trained.front() = 0;  // nothing precedes it that could predict it
    if (trained_tokens(sample) == 0) {
      refuse_empty(example.origin, "no assistant turn is to be trained");
    }
    if (sample.tokens.size() > max_length) {
      ++statistics.truncated;
      sample.tokens.resize(max_length);
      sample.trained.resize(max_length);
    }
    if (trained_tokens(sample) == 0) {
      ++statistics.dropped;
      continue;
    }
    sample.origin = example.origin;
    ++statistics.samples;
    statistics.tokens += std::ssize(sample.tokens);
    statistics.trained_tokens += trained_tokens(sample);
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace rim
