#include "monitors/builtin/pair_scores.h"

#include <cmath>

#include "data/support/error.h"

namespace rim {
namespace {

std::vector<double> scores_of(const std::vector<GeneratedResponse>& responses) {
  std::vector<double> scores;
  for (const GeneratedResponse& response : responses) scores.push_back(response.refusal_score);
  return scores;
}

}  // namespace

PairScores::PairScores(const std::vector<GeneratedResponse>& originals, const std::vector<GeneratedResponse>& rewrites)
    : original(scores_of(originals)), rewritten(scores_of(rewrites)) {
  if (original.size() != rewritten.size()) throw Error(ExitCode::software, "pairs with one half scored");
}

std::int64_t PairScores::scored() const {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < original.size(); ++i) count += !std::isnan(original[i]) && !std::isnan(rewritten[i]);
  return count;
}

std::int64_t PairScores::raised() const {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < original.size(); ++i) count += rewritten[i] > original[i];  // false for NaN
  return count;
}

void write_pair_scores(const NeuronSets& sets, const PairScores& scores, RecordSink& sink) {
  std::vector<double> values;
  for (std::size_t i = 0; i < scores.original.size(); ++i) {
    values.insert(values.end(), {scores.original[i], scores.rewritten[i]});
  }
  const std::string definition =
      "log(P_R / (1 - P_R)), P_R the probability of the tokens refusals open with (Arditi et al. 2024), at the "
      "answer's "
      "first token; NaN where the model thinks first";
  sink.write_static(sets.name + ".pair_refusal_score", {.shape = {std::ssize(scores.original), 2}, .values = values},
                    {"refusal-token score of each counterfactual pair in the base model",
                     "nats",
                     definition + "; 0: the request, 1: the request followed by one space and '" + sets.instruction +
                         "'; " + sets.measured,
                     {"pair", "half"}});
  const auto write_count = [&](const char* name, std::int64_t count, const char* long_name, const char* rule) {
    sink.write_static(sets.name + name, scalar_array(static_cast<double>(count)), {long_name, "1", rule, {}});
  };
  write_count(".pairs_scored", scores.scored(), "pairs with a refusal score in both halves",
              "number of pairs, in the base model");
  write_count(".pairs_raised", scores.raised(), "pairs in which the rewrite raises the refusal score",
              "number of pairs whose score is higher with the refusal instruction, in the base model");
}

std::string refusal_headline(const PairScores& scores) {
  const std::int64_t scored = scores.scored(), raised = scores.raised();
  if (scored == 0) return "whether the instruction makes the model refuse is not known (no answer begins at once)";
  const std::string count = std::to_string(raised) + " of " + std::to_string(scored) + " pairs";
  if (2 * raised >= scored) return "the instruction raises the refusal score in " + count;
  return "WARNING: the instruction raises the refusal score in only " + count +
         ", so these neurons may have little to do with refusing";
}

}  // namespace rim
