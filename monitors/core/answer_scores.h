// How strongly a refusal is preferred where the answer begins, without generating one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "monitors/core/probe_context.h"

namespace rim {

struct AnswerScores {
  double refusal_score = 0;       // log(P_R / (1 - P_R)), P_R the next-token probability of the refusal tokens
  double log_likelihood_gap = 0;  // mean log p(refusal_text's tokens) - mean log p(compliance_text's tokens)
};

// Teacher-forced, in batches of the runner's size; log-sum-exp in fp32, so that no epsilon is needed at either end.
// Throws as refusal_tokens does, and Error(bad_data) for a context that grows too long.
class AnswerScorer {
 public:
  AnswerScorer(const ProbeContext& context, const std::string& refusal_text, const std::string& compliance_text);
  // One result per context, in order. A context is everything before the answer; none may be empty.
  [[nodiscard]] std::vector<AnswerScores> score(const std::vector<std::vector<TokenId>>& contexts);
  [[nodiscard]] std::int64_t forward_passes() const { return forward_passes_; }

 private:
  struct Row;
  void score_batch(const std::vector<Row>& rows, const std::vector<std::size_t>& batch,
                   std::vector<AnswerScores>& scores);

  const ProbeContext& context_;
  std::vector<TokenId> opening_;  // refusal tokens
  std::vector<TokenId> refusal_, compliance_;
  std::int64_t forward_passes_ = 0;
};

}  // namespace rim
