#include "monitors/core/probe_texts.h"

#include "monitors/core/probe_context.h"

namespace rim {

const std::vector<ProbeSequence>& ProbeTexts::of(const PromptSet& set, ThinkingMode thinking, bool with_response) {
  // By content: another plan may call other prompts by the same name.
  const auto [entry, fresh] = known_.try_emplace({digest_of(set), thinking, with_response});
  if (!fresh) return entry->second;
  try {
    for (const Prompt& prompt : set.prompts) {
      with_prompt(set, prompt, [&] {
        entry->second.push_back(probe_sequence(prompt, thinking, with_response, *tokenizer_, *chat_template_));
      });
    }
  } catch (...) {
    known_.erase(entry);
    throw;
  }
  return entry->second;
}

}  // namespace rim
