#include "monitors/builtin/counterfactual.h"

#include <algorithm>

namespace rim {

PromptSet counterfactual_set(const PromptSet& originals, std::int64_t pairs, const std::string& instruction) {
  PromptSet set;
  set.name = originals.name + "[:" + std::to_string(pairs) + "] + '" + instruction + "'";
  const auto count = std::min(originals.prompts.size(), static_cast<std::size_t>(pairs));
  for (std::size_t i = 0; i < count; ++i) {
    Prompt rewritten = originals.prompts[i];  // the reference response too: both halves are measured on the same tokens
    rewritten.id += "+refuse";
    rewritten.text += " " + instruction;
    set.prompts.push_back(std::move(rewritten));
  }
  return set;
}

}  // namespace rim
