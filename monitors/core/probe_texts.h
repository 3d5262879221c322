// Rendered and tokenised prompts, kept: a run observes the same prompts again and again.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "monitors/core/probe_sequence.h"

namespace rim {

// Not thread-safe. Tokenizer and template outlive it.
class ProbeTexts {
 public:
  ProbeTexts(const Tokenizer& tokenizer, const ChatTemplate& chat_template)
      : tokenizer_(&tokenizer), chat_template_(&chat_template) {}
  // In the set's order, as probe_sequence makes them. An Error names the set and the prompt. Valid until this goes.
  const std::vector<ProbeSequence>& of(const PromptSet& set, ThinkingMode thinking, bool with_response);

 private:
  const Tokenizer* tokenizer_;
  const ChatTemplate* chat_template_;
  std::map<std::tuple<std::string, ThinkingMode, bool>, std::vector<ProbeSequence>> known_;  // by the set's digest
};

}  // namespace rim
