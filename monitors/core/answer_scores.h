// How strongly a refusal is preferred where the answer begins, without generating one.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "monitors/core/probe_context.h"

namespace rim {

struct AnswerScores {
  double refusal_score = 0;       // log(P_R / (1 - P_R)), P_R the next-token probability of the refusal tokens
  double log_likelihood_gap = 0;  // mean log p(refusal_text's tokens) - mean log p(compliance_text's tokens)
};

// Teacher-forced, in batches of the runner's size: each context runs once, then both texts continue it from its keys
// and values. Log-sum-exp in fp32, so that no epsilon is needed at either end. Throws as refusal_tokens does.
class AnswerScorer {
 public:
  // `listener`, null for none, hears or edits every forward pass, and outlives the scorer.
  AnswerScorer(const ProbeContext& context, const std::string& refusal_text, const std::string& compliance_text,
               TapListener* listener = nullptr);
  // One result per context, in order. A context is everything before the answer; none may be empty. It may be longer
  // than the runner's max_length, which is for prompts: how long a model thinks is not the prompt's fault, and
  // generation has held that length already. A context above batch_tokens is a batch of its own.
  [[nodiscard]] std::vector<AnswerScores> score(const std::vector<std::vector<TokenId>>& contexts);
  [[nodiscard]] std::int64_t forward_passes() const { return forward_passes_; }

 private:
  [[nodiscard]] std::vector<AnswerScores> score_batch(const std::vector<const std::vector<TokenId>*>& contexts);
  [[nodiscard]] std::vector<double> mean_log_probabilities(const at::Tensor& first, KeyValueCache& cache,
                                                           const std::vector<TokenId>& text);

  const ProbeContext& context_;
  TapListener* listener_;
  std::vector<TokenId> opening_;  // refusal tokens
  std::vector<TokenId> refusal_, compliance_;
  std::int64_t forward_passes_ = 0;
};

}  // namespace rim
