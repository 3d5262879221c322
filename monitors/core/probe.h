// What a monitor may ask of the model. Monitors declare; the probe runner merges all wishes, shares forward passes,
// spreads prompts over the ranks and hands back reduced numbers, the same on every rank.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data/examples/prompt_set.h"
#include "data/tokenizer/chat_template.h"
#include "trainer/model/taps.h"

namespace rim {

// Which token positions of prompt + reference response a reduction runs over.
enum class TokenRegion {
  prompt,       // all tokens of the rendered prompt
  last_prompt,  // its last token: the one that predicts the first generated token
  response,     // the reference response's tokens (reasoning included where thinking is on)
  all,
};
// Throws Error(config) naming the regions there are.
TokenRegion parse_token_region(const std::string& name);
std::string to_string(TokenRegion region);
// In the order above.
std::vector<std::string> token_region_names();

struct NeuronIndex {
  std::int64_t layer = 0;
  std::int64_t neuron = 0;
  auto operator<=>(const NeuronIndex&) const = default;
};

// Multiplies MLP neurons by `scale` while the probe runs (0: ablate). No neurons: nothing is changed.
struct Intervention {
  std::vector<NeuronIndex> neurons = {};
  double scale = 0.0;
  bool operator==(const Intervention&) const = default;
};

// Mean of a tap over the region's tokens, one row per prompt.
// Result: fp32 [prompts, layers, width], prompts in the set's order.
struct ActivationRequest {
  std::string prompt_set;
  TapSite site = TapSite::neurons;
  TokenRegion region = TokenRegion::last_prompt;
  ThinkingMode thinking = ThinkingMode::off;
  Intervention intervention = {};
  bool operator==(const ActivationRequest&) const = default;
};

// Greedy generation for each prompt, and how strongly refusal is preferred where the answer begins (after the think
// span that the model generated, if any).
struct GenerationRequest {
  std::string prompt_set;
  ThinkingMode thinking = ThinkingMode::off;
  std::int64_t max_new_tokens = 128;
  std::string refusal_text = {};  // both empty: no scores
  std::string compliance_text = {};
  Intervention intervention = {};  // at work while generating and while scoring
  bool operator==(const GenerationRequest&) const = default;
};

struct GeneratedResponse {
  // Special tokens left out, but for <think> and </think>; a <think> that the prompt ended with comes first.
  std::string text;
  std::int64_t tokens = 0;
  bool stopped = false;  // ended its turn; false: cut at max_new_tokens
  // log P_R - log(1 - P_R), P_R the probability mass of the tokens refusals open with (Arditi et al. 2024). NaN: no
  // scores.
  double refusal_score = 0;
  // mean log p of refusal_text's tokens - the same of compliance_text's. NaN: no scores.
  double log_likelihood_gap = 0;
};

// Filled by Monitor::declare. Identical requests get the same handle.
class ProbePlan {
 public:
  // Makes a prompt set known to the runner, e.g. counterfactual rewrites. The same set again changes nothing; other
  // prompts under a name that is taken are an Error(config).
  void add_prompt_set(PromptSet set);
  // Both throw Error(config) for an unknown prompt set, and for a wish that no forward pass can serve: the region
  // `response` where a prompt has none, one text of two that are compared.
  std::size_t request(ActivationRequest request);
  std::size_t request(GenerationRequest request);

  // A monitor says which results it shares with those after it, and which it needs of those before it, so that a wrong
  // name or order is found before anything runs. `measured`, where the results come from, is what require() returns,
  // for definitions. Both throw Error(config): `name` is provided already; nothing provides it yet.
  void provide(const std::string& name, const std::string& measured = {});
  const std::string& require(const std::string& name, const std::string& who) const;

  [[nodiscard]] const std::vector<ActivationRequest>& activations() const { return activations_; }
  [[nodiscard]] const std::vector<GenerationRequest>& generations() const { return generations_; }
  [[nodiscard]] const std::map<std::string, PromptSet>& prompt_sets() const { return prompt_sets_; }
  // Throws Error(config) for an unknown set, naming those there are.
  [[nodiscard]] const PromptSet& prompt_set(const std::string& name) const;

 private:
  std::map<std::string, PromptSet> prompt_sets_;
  std::vector<ActivationRequest> activations_;
  std::vector<GenerationRequest> generations_;
  std::map<std::string, std::string> provided_;  // how it was measured
};

struct ProbeResults {
  std::vector<at::Tensor> activations;                      // by handle
  std::vector<std::vector<GeneratedResponse>> generations;  // by handle, prompts in the set's order
  std::int64_t forward_passes = 0;                          // teacher-forced batches run on this rank
};

}  // namespace rim
