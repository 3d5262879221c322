#include "monitors/core/probe_check.h"

#include <algorithm>

#include "monitors/core/activation_pass.h"
#include "monitors/core/generation_pass.h"
#include "monitors/core/probe_context.h"
#include "monitors/core/probe_sequence.h"
#include "monitors/core/refusal_tokens.h"

namespace rim {
namespace {

class ProbeCheck {
 public:
  ProbeCheck(const ProbePlan& plan, const Tokenizer& tokenizer, const ChatTemplate& chat_template,
             const ProbeRunnerOptions& options)
      : plan_(plan), tokenizer_(tokenizer), chat_template_(chat_template), options_(options) {}

  void check(const ActivationRequest& request) const {
    static_cast<void>(longest(request.prompt_set, request.thinking, reads_response(request.region)));
  }

  [[nodiscard]] ProbeNeeds check(const GenerationRequest& request, int ranks) const {
    if (!request.refusal_text.empty()) {
      static_cast<void>(refusal_tokens(tokenizer_, request.refusal_text, request.compliance_text));
    }
    const std::int64_t prompt = longest(request.prompt_set, request.thinking, false);
    const auto prompts = std::ssize(plan_.prompt_set(request.prompt_set).prompts);
    const std::int64_t rows = std::min(generation_rows(prompt, request.max_new_tokens, options_),
                                       (prompts + ranks - 1) / static_cast<std::int64_t>(ranks));
    const std::int64_t longest_generation = prompt + request.max_new_tokens;
    return {.cache_positions = rows * longest_generation, .longest_generation = longest_generation};
  }

 private:
  [[nodiscard]] std::int64_t longest(const std::string& name, ThinkingMode thinking, bool with_response) const {
    const PromptSet& set = plan_.prompt_set(name);
    std::int64_t most = 0;
    for (const Prompt& prompt : set.prompts) {
      with_prompt(set, prompt, [&] {
        const auto sequence = probe_sequence(prompt, thinking, with_response, tokenizer_, chat_template_);
        require_fitting_length(sequence.tokens.size(), options_);
        most = std::max<std::int64_t>(most, std::ssize(sequence.tokens));
      });
    }
    return most;
  }

  const ProbePlan& plan_;
  const Tokenizer& tokenizer_;
  const ChatTemplate& chat_template_;
  const ProbeRunnerOptions& options_;
};

}  // namespace

ProbeNeeds check_probes(const ProbePlan& plan, const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                        const ProbeRunnerOptions& options, const ModelConfig& model, int ranks) {
  const ProbeCheck probes(plan, tokenizer, chat_template, options);
  ProbeNeeds needs;
  for (const ActivationRequest& request : plan.activations()) {
    probes.check(request);
    const auto prompts = std::ssize(plan.prompt_set(request.prompt_set).prompts);
    needs.activation_bytes +=
        sizeof(float) * static_cast<double>(prompts * model.layers * width_of(request.site, model));
  }
  for (const GenerationRequest& request : plan.generations()) {
    const ProbeNeeds own = probes.check(request, ranks);
    needs.cache_positions = std::max(needs.cache_positions, own.cache_positions);
    needs.longest_generation = std::max(needs.longest_generation, own.longest_generation);
  }
  return needs;
}

}  // namespace rim
