// Tokenised training samples with their loss mask.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/examples/example.h"
#include "data/tokenizer/chat_template.h"
#include "data/tokenizer/tokenizer.h"

namespace rim {

struct Sample {
  std::vector<TokenId> tokens;
  std::vector<std::uint8_t> trained;  // same length; 1: the loss asks for this token (given those before it)
  std::string origin;
};

struct SampleOptions {
  std::int64_t max_length = 1024;  // longer samples are cut at the end
  ThinkingMode thinking = ThinkingMode::on;
};

struct SampleStatistics {
  std::int64_t samples = 0;
  std::int64_t truncated = 0;
  std::int64_t dropped = 0;  // cut so short that no trained token was left
  std::int64_t tokens = 0;
  std::int64_t trained_tokens = 0;
};

// Chat examples go through the template, loss on assistant turns and their end token. Plain prompt/completion pairs are
// joined as they stand, the tokenizer's start token before them where it has one and the end-of-sequence token behind
// them (unless they end in it), loss on completion and end. As in TRL and transformers' tokenizer(text), what such a
// pair spells out of special tokens becomes those tokens, and a text that spells its own start token gets it twice. A
// sample without an assistant turn, or with a trained turn or completion that has no text, is an Error(bad_data) that
// names its line; one that truncation leaves nothing to train on is dropped and counted.
std::vector<Sample> build_samples(const std::vector<Example>& examples, const Tokenizer& tokenizer,
                                  const ChatTemplate& chat_template, TokenId end_of_sequence,
                                  const SampleOptions& options, SampleStatistics& statistics);

}  // namespace rim
