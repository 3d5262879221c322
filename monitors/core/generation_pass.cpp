#include "monitors/core/generation_pass.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "data/support/error.h"
#include "data/support/json.h"
#include "data/tokenizer/think_span.h"
#include "monitors/core/answer_scores.h"
#include "monitors/core/neuron_scaling.h"
#include "monitors/core/probe_sequence.h"
#include "monitors/core/token_batches.h"
#include "trainer/model/generation.h"

namespace rim {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

struct EncodedRequest {
  std::vector<std::size_t> prompts;            // this rank's, as indices into the set
  std::vector<std::vector<TokenId>> contexts;  // their tokens
};

EncodedRequest encoded(const ProbeContext& context, const GenerationRequest& request) {
  const PromptSet& set = context.plan.prompt_set(request.prompt_set);
  const std::vector<ProbeSequence>& all = context.texts.of(set, request.thinking, false);
  std::vector<std::int64_t> lengths;
  for (std::size_t i = 0; i < all.size(); ++i) {
    with_prompt(set, set.prompts[i], [&] { require_fitting_length(all[i].tokens.size(), context.options); });
    lengths.push_back(std::ssize(all[i].tokens));
  }
  EncodedRequest own{.prompts = dealt_to_rank(lengths, context.rank, context.ranks), .contexts = {}};
  for (const std::size_t prompt : own.prompts) own.contexts.push_back(all[prompt].tokens);
  return own;
}

// What the model said after one prompt, tokens apart from those that only frame it.
struct Reply {
  std::vector<TokenId> before;  // the prompt, without a think tag that it ends with
  std::vector<TokenId> spoken;  // that tag, and what was generated without the token that stops
};

Reply reply_of(const ProbeContext& context, const std::vector<TokenId>& prompt, const Generation& generation) {
  const auto framing = static_cast<std::ptrdiff_t>(prompt.size() - opening_tag_tokens(context.tokenizer, prompt));
  Reply reply{.before = {prompt.begin(), prompt.begin() + framing}, .spoken = {prompt.begin() + framing, prompt.end()}};
  reply.spoken.insert(reply.spoken.end(), generation.tokens.begin(), generation.tokens.end());
  // The stop token is dropped by hand: not every tokenizer marks it as special.
  if (generation.stopped && !generation.tokens.empty()) reply.spoken.pop_back();
  return reply;
}

// Everything before the answer; nothing where a think span was not closed.
std::optional<std::vector<TokenId>> answer_context(const ProbeContext& context, const Reply& reply) {
  const auto start = answer_start(context.tokenizer, reply.spoken);
  if (!start) return std::nullopt;
  std::vector<TokenId> tokens = reply.before;
  tokens.insert(tokens.end(), reply.spoken.begin(), reply.spoken.begin() + static_cast<std::ptrdiff_t>(*start));
  return tokens;
}

// Fills in the scores of all responses whose answer begins somewhere.
std::int64_t add_scores(const ProbeContext& context, const GenerationRequest& request,
                        const std::vector<std::size_t>& prompts, const std::vector<Reply>& replies,
                        TapListener* listener, RankResponses& responses) {
  std::vector<std::vector<TokenId>> contexts;
  std::vector<std::size_t> scored;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    auto before_answer = answer_context(context, replies[i]);
    if (!before_answer) continue;
    contexts.push_back(std::move(*before_answer));
    scored.push_back(prompts[i]);
  }
  AnswerScorer scorer(context, request.refusal_text, request.compliance_text, listener);
  const std::vector<AnswerScores> scores = scorer.score(contexts);
  for (std::size_t i = 0; i < scored.size(); ++i) {
    responses[scored[i]].refusal_score = scores[i].refusal_score;
    responses[scored[i]].log_likelihood_gap = scores[i].log_likelihood_gap;
  }
  return scorer.forward_passes();
}

RankResponses respond(const ProbeContext& context, const GenerationRequest& request, const EncodedRequest& own,
                      std::int64_t& forward_passes) {
  RankResponses responses;
  std::size_t longest = 0;
  for (const auto& prompt : own.contexts) longest = std::max(longest, prompt.size());
  const std::int64_t rows =
      generation_rows(static_cast<std::int64_t>(longest), request.max_new_tokens, context.options);
  std::optional<NeuronScaling> scaling = neuron_scaling(request.intervention, context.model);
  TapListener* const listener = scaling ? &*scaling : nullptr;
  const std::vector<Generation> generations = generate_greedily(context.model, own.contexts,
                                                                {.max_new_tokens = request.max_new_tokens,
                                                                 .stop_tokens = context.options.stop_tokens,
                                                                 .batch_size = rows,
                                                                 .listener = listener});
  std::vector<Reply> replies;
  for (std::size_t i = 0; i < own.prompts.size(); ++i) {
    replies.push_back(reply_of(context, own.contexts[i], generations[i]));
    responses[own.prompts[i]] = {.text = visible_text(context.tokenizer, replies[i].spoken),
                                 .tokens = std::ssize(generations[i].tokens),
                                 .stopped = generations[i].stopped,
                                 .refusal_score = kMissing,
                                 .log_likelihood_gap = kMissing};
  }
  if (!request.refusal_text.empty()) {
    forward_passes += add_scores(context, request, own.prompts, replies, listener, responses);
  }
  return responses;
}

// Thinking modes differ in name only for a family without think spans; then one generation serves both.
bool same_work(const GenerationRequest& one, const GenerationRequest& other) {
  GenerationRequest renamed = one;
  renamed.thinking = other.thinking;
  return renamed == other;
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

double number_or_missing(const Json& value) { return value.is_null() ? kMissing : value.get<double>(); }

}  // namespace

std::int64_t generation_rows(std::int64_t longest_prompt, std::int64_t max_new_tokens,
                             const ProbeRunnerOptions& options) {
  const std::int64_t fitting = options.cache_positions / std::max<std::int64_t>(longest_prompt + max_new_tokens, 1);
  return std::clamp<std::int64_t>(fitting, 1, options.generation_batch);
}

GenerationPass run_generation_requests(const ProbeContext& context) {
  GenerationPass pass;
  const auto& requests = context.plan.generations();
  std::vector<EncodedRequest> done;
  for (const GenerationRequest& request : requests) {
    EncodedRequest own = encoded(context, request);
    std::optional<std::size_t> earlier;
    for (std::size_t i = 0; i < done.size() && !earlier; ++i) {
      if (same_work(requests[i], request) && done[i].contexts == own.contexts) earlier = i;
    }
    RankResponses responses = earlier ? pass.responses[*earlier] : respond(context, request, own, pass.forward_passes);
    pass.responses.push_back(std::move(responses));
    done.push_back(std::move(own));
  }
  return pass;
}

std::string pack_responses(const RankResponses& responses) {
  Json packed = Json::array();
  for (const auto& [prompt, response] : responses) {
    packed.push_back({prompt, response.text, response.tokens, response.stopped, number_or_null(response.refusal_score),
                      number_or_null(response.log_likelihood_gap)});
  }
  return packed.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<GeneratedResponse> unpack_responses(const std::vector<std::string>& parts, std::size_t prompts) {
  RankResponses responses;
  for (const std::string& part : parts) {
    for (const Json& entry : parse_json(part, "responses of another rank")) {
      responses[entry[0].get<std::size_t>()] = {.text = entry[1],
                                                .tokens = entry[2],
                                                .stopped = entry[3],
                                                .refusal_score = number_or_missing(entry[4]),
                                                .log_likelihood_gap = number_or_missing(entry[5])};
    }
  }
  if (responses.size() != prompts || (prompts > 0 && responses.rbegin()->first != prompts - 1)) {
    throw Error(ExitCode::software,
                "ranks answered " + std::to_string(responses.size()) + " of " + std::to_string(prompts) + " prompts");
  }
  std::vector<GeneratedResponse> ordered;
  for (auto& [prompt, response] : responses) ordered.push_back(std::move(response));
  return ordered;
}

}  // namespace rim
