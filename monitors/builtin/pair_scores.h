// Does the rewrite make the model refuse? The refusal scores of both halves of each counterfactual pair in the base.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "monitors/builtin/neurons_records.h"

namespace rim {

// Scores where the answer begins, in the pairs' order; NaN where the model thinks first.
struct PairScores {
  // Throws Error(software) for lists of different lengths.
  PairScores(const std::vector<GeneratedResponse>& originals, const std::vector<GeneratedResponse>& rewritten);
  [[nodiscard]] std::int64_t scored() const;  // pairs with both
  [[nodiscard]] std::int64_t raised() const;  // of these where the rewrite's is higher

  std::vector<double> original, rewritten;
};

void write_pair_scores(const NeuronSets& sets, const PairScores& scores, RecordSink& sink);
// A warning where fewer than half of the pairs are raised: what was selected may have little to do with refusing.
std::string refusal_headline(const PairScores& scores);

}  // namespace rim
