#include "monitors/core/answer_scores.h"

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <limits>

#include "monitors/core/refusal_tokens.h"
#include "monitors/core/token_batches.h"

namespace rim {
namespace {

at::Tensor log_probabilities(const Decoder& model, const at::Tensor& hidden) {
  return at::log_softmax(model.logits(hidden).to(at::kFloat), -1);
}

// log(P_R / (1 - P_R)) per row of `first` [rows, vocabulary], the log probabilities of the answer's first token.
std::vector<double> log_odds(const at::Tensor& first, const std::vector<TokenId>& opening) {
  const at::Tensor chosen = at::tensor(opening).to(first.device());
  const at::Tensor refusing = at::logsumexp(first.index_select(1, chosen), 1);
  const at::Tensor others = first.index_fill(1, chosen, -std::numeric_limits<double>::infinity());
  const at::Tensor odds = refusing.sub(at::logsumexp(others, 1)).to(at::kDouble).cpu();
  return {odds.const_data_ptr<double>(), odds.const_data_ptr<double>() + odds.numel()};
}

std::vector<std::int64_t> lengths_of(const std::vector<const std::vector<TokenId>*>& sequences) {
  std::vector<std::int64_t> lengths;
  for (const auto* sequence : sequences) lengths.push_back(std::ssize(*sequence));
  return lengths;
}

}  // namespace

AnswerScorer::AnswerScorer(const ProbeContext& context, const std::string& refusal_text,
                           const std::string& compliance_text, TapListener* listener)
    : context_(context),
      listener_(listener),
      opening_(refusal_tokens(context.tokenizer, refusal_text, compliance_text)),
      refusal_(encode_literal(context.tokenizer, refusal_text)),
      compliance_(encode_literal(context.tokenizer, compliance_text)) {}

std::vector<AnswerScores> AnswerScorer::score(const std::vector<std::vector<TokenId>>& contexts) {
  std::vector<std::int64_t> lengths;
  for (const auto& context : contexts) lengths.push_back(std::ssize(context));
  std::vector<AnswerScores> scores(contexts.size());
  for (const auto& batch : cut_into_batches(dealt_to_rank(lengths, 0, 1), lengths, context_.options.batch_tokens)) {
    std::vector<const std::vector<TokenId>*> rows;
    for (const std::size_t item : batch) rows.push_back(&contexts[item]);
    const std::vector<AnswerScores> scored = score_batch(rows);
    for (std::size_t i = 0; i < batch.size(); ++i) scores[batch[i]] = scored[i];
  }
  return scores;
}

std::vector<AnswerScores> AnswerScorer::score_batch(const std::vector<const std::vector<TokenId>*>& contexts) {
  const Decoder& model = context_.model;
  const std::vector<std::int64_t> lengths = lengths_of(contexts);
  const auto rows = std::ssize(contexts), longest_text = std::max(std::ssize(refusal_), std::ssize(compliance_));
  KeyValueCache cache(model.config(), rows, std::ranges::max(lengths) + longest_text,
                      at::TensorOptions().dtype(model.dtype()).device(model.device()));
  const at::Tensor row_lengths = at::tensor(lengths).to(model.device());
  const at::Tensor hidden = model.hidden_states(right_padded(contexts, model.device()), listener_, &cache, row_lengths);
  ++forward_passes_;
  const at::Tensor last = row_lengths.sub(1).view({-1, 1, 1}).expand({-1, 1, hidden.size(-1)});
  const at::Tensor first = log_probabilities(model, hidden.gather(1, last).squeeze(1));

  const std::vector<double> odds = log_odds(first, opening_);
  const std::vector<double> refusing = mean_log_probabilities(first, cache, refusal_);
  const std::vector<double> complying = mean_log_probabilities(first, cache, compliance_);
  std::vector<AnswerScores> scores;
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    scores.push_back({.refusal_score = odds[i], .log_likelihood_gap = refusing[i] - complying[i]});
  }
  return scores;
}

// Per row; the cache comes back as it was.
std::vector<double> AnswerScorer::mean_log_probabilities(const at::Tensor& first, KeyValueCache& cache,
                                                         const std::vector<TokenId>& text) {
  const Decoder& model = context_.model;
  const at::Tensor tokens = at::tensor(text).to(model.device());
  const std::int64_t count = tokens.numel();
  at::Tensor sums = first.select(1, text.front()).to(at::kDouble);
  if (count > 1) {
    const at::Tensor lengths = cache.lengths.clone();
    const std::int64_t longest = cache.longest;
    const at::Tensor fed = tokens.narrow(0, 0, count - 1).unsqueeze(0).expand({first.size(0), count - 1});
    const at::Tensor hidden = model.hidden_states(fed, listener_, &cache);
    ++forward_passes_;
    cache.lengths = lengths;
    cache.longest = longest;
    const at::Tensor predicted = tokens.narrow(0, 1, count - 1).unsqueeze(1);
    for (std::int64_t row = 0; row < first.size(0); ++row) {  // one by one: [rows, tokens, vocabulary] may be large
      sums[row].add_(log_probabilities(model, hidden[row]).gather(1, predicted).sum(at::kDouble));
    }
  }
  const at::Tensor means = sums.div(static_cast<double>(count)).cpu();
  return {means.const_data_ptr<double>(), means.const_data_ptr<double>() + means.numel()};
}

}  // namespace rim
