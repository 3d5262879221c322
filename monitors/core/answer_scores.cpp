#include "monitors/core/answer_scores.h"

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/tensor.h>

#include <limits>

#include "monitors/core/refusal_tokens.h"
#include "monitors/core/token_batches.h"

namespace rim {

// A context with one of the two continuations behind it.
struct AnswerScorer::Row {
  std::size_t context = 0;
  bool refuses = false;
  std::int64_t context_length = 0;
  std::vector<TokenId> tokens;
};

namespace {

std::vector<TokenId> joined(std::vector<TokenId> tokens, const std::vector<TokenId>& more) {
  tokens.insert(tokens.end(), more.begin(), more.end());
  return tokens;
}

// `log_probabilities` [vocabulary] of the answer's first token.
double refusal_score(const at::Tensor& log_probabilities, const std::vector<TokenId>& opening) {
  const at::Tensor chosen = at::tensor(opening).to(log_probabilities.device());
  const at::Tensor others = log_probabilities.index_fill(0, chosen, -std::numeric_limits<double>::infinity());
  const double refusing = at::logsumexp(log_probabilities.index_select(0, chosen), 0).item<double>();
  return refusing - at::logsumexp(others, 0).item<double>();
}

// `log_probabilities` [tokens, vocabulary]: row i predicts token i.
double mean_log_probability(const at::Tensor& log_probabilities, const std::vector<TokenId>& tokens) {
  const at::Tensor index = at::tensor(tokens).to(log_probabilities.device()).unsqueeze(1);
  return log_probabilities.gather(1, index).mean(at::kDouble).item<double>();
}

}  // namespace

AnswerScorer::AnswerScorer(const ProbeContext& context, const std::string& refusal_text,
                           const std::string& compliance_text)
    : context_(context),
      opening_(refusal_tokens(context.tokenizer, refusal_text, compliance_text)),
      refusal_(encode_literal(context.tokenizer, refusal_text)),
      compliance_(encode_literal(context.tokenizer, compliance_text)) {}

std::vector<AnswerScores> AnswerScorer::score(const std::vector<std::vector<TokenId>>& contexts) {
  std::vector<Row> rows;
  std::vector<std::int64_t> lengths;
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    for (const bool refuses : {true, false}) {
      rows.push_back({.context = i,
                      .refuses = refuses,
                      .context_length = std::ssize(contexts[i]),
                      .tokens = joined(contexts[i], refuses ? refusal_ : compliance_)});
      require_fitting_length(rows.back().tokens.size(), context_);
      lengths.push_back(std::ssize(rows.back().tokens));
    }
  }
  std::vector<AnswerScores> scores(contexts.size());
  const auto batches = cut_into_batches(dealt_to_rank(lengths, 0, 1), lengths, context_.options.batch_tokens);
  for (const auto& batch : batches) score_batch(rows, batch, scores);
  forward_passes_ += std::ssize(batches);
  return scores;
}

void AnswerScorer::score_batch(const std::vector<Row>& rows, const std::vector<std::size_t>& batch,
                               std::vector<AnswerScores>& scores) {
  std::vector<const std::vector<TokenId>*> tokens;
  for (const std::size_t item : batch) tokens.push_back(&rows[item].tokens);
  const at::Tensor hidden = context_.model.hidden_states(right_padded(tokens, context_.model.device()));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Row& row = rows[batch[i]];
    // Positions that predict the continuation: from the context's last token to the last but one.
    const at::Tensor predicting =
        hidden.select(0, static_cast<std::int64_t>(i)).slice(0, row.context_length - 1, std::ssize(row.tokens) - 1);
    const at::Tensor log_probabilities = at::log_softmax(context_.model.logits(predicting).to(at::kFloat), -1);
    AnswerScores& score = scores[row.context];
    if (row.refuses) {
      score.refusal_score = refusal_score(log_probabilities[0], opening_);
      score.log_likelihood_gap += mean_log_probability(log_probabilities, refusal_);
    } else {
      score.log_likelihood_gap -= mean_log_probability(log_probabilities, compliance_);
    }
  }
}

}  // namespace rim
