// What the runner generates and scores against plain loops over the same decoder.
#include "monitors/core/generation_pass.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/tokenizer/think_span.h"
#include "monitors/core/answer_scores.h"
#include "monitors/core/probe_context.h"
#include "monitors/core/probe_texts.h"
#include "monitors/core/refusal_tokens.h"
#include "tests/monitors/core/probe_runner_fixture.h"
#include "trainer/model/generation.h"

namespace rim {
namespace {

// log p of each of `continuation`'s tokens after `prompt`, in one plain pass over both.
std::vector<double> log_probabilities(const Decoder& model, const std::vector<TokenId>& prompt,
                                      const std::vector<TokenId>& continuation) {
  std::vector<TokenId> tokens = prompt;
  tokens.insert(tokens.end(), continuation.begin(), continuation.end());
  const at::Tensor logits = model.logits(model.hidden_states(at::tensor(tokens).unsqueeze(0)))[0];
  const at::Tensor log_softmax = at::log_softmax(logits.to(at::kDouble), -1);
  std::vector<double> found;
  for (std::size_t i = 0; i < continuation.size(); ++i) {
    found.push_back(log_softmax[static_cast<std::int64_t>(prompt.size() + i) - 1][continuation[i]].item<double>());
  }
  return found;
}

TEST_F(ProbeRunnerTest, GeneratesWithTheModesPrompt) {
  plan_.request(GenerationRequest{.prompt_set = "p", .thinking = ThinkingMode::off, .max_new_tokens = 6});
  const ProbeResults results = run(plan_);
  const PromptSet& set = plan_.prompt_set("p");
  ASSERT_EQ(results.generations[0].size(), set.prompts.size());
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    const auto prompt = model_.tokenizer.encode("<|im_start|>user\n" + set.prompts[i].text +
                                                "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n");
    const Generation expected =
        generate_greedily(model_.decoder, {prompt},
                          {.max_new_tokens = 6, .stop_tokens = {*model_.tokenizer.token_to_id("<|im_end|>")}})[0];
    const GeneratedResponse& response = results.generations[0][i];
    EXPECT_EQ(response.tokens, std::ssize(expected.tokens));
    EXPECT_EQ(response.stopped, expected.stopped);
    EXPECT_EQ(response.text, visible_text(model_.tokenizer, expected.tokens));
    EXPECT_TRUE(std::isnan(response.refusal_score));
  }
}

TEST_F(ProbeRunnerTest, ScoresTheStartOfTheAnswerAsAPlainLoopDoes) {
  const std::string refusal = "I cannot.", compliance = "Sure, it is";
  plan_.request(GenerationRequest{.prompt_set = "p",
                                  .thinking = ThinkingMode::off,
                                  .max_new_tokens = 3,
                                  .refusal_text = refusal,
                                  .compliance_text = compliance});
  const ProbeResults results = run(plan_, 200);
  const auto mean_of = [](const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
  };
  const auto opening = refusal_tokens(model_.tokenizer, refusal, compliance);
  const PromptSet& set = plan_.prompt_set("p");
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    const auto prompt = model_.tokenizer.encode("<|im_start|>user\n" + set.prompts[i].text +
                                                "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n");
    const double gap = mean_of(log_probabilities(model_.decoder, prompt, model_.tokenizer.encode(refusal))) -
                       mean_of(log_probabilities(model_.decoder, prompt, model_.tokenizer.encode(compliance)));
    double refusing = 0;
    for (const TokenId token : opening) {
      refusing += std::exp(log_probabilities(model_.decoder, prompt, {token})[0]);
    }
    EXPECT_NEAR(results.generations[0][i].log_likelihood_gap, gap, 1e-4) << i;
    EXPECT_NEAR(results.generations[0][i].refusal_score, std::log(refusing / (1 - refusing)), 1e-4) << i;
  }
}

// Greedy by the model's whole forward pass, token by token, the neurons silenced by hand.
class Silence : public TapListener {
 public:
  explicit Silence(NeuronIndex neuron) : neuron_(neuron) {}
  [[nodiscard]] bool wants(TapSite site, std::int64_t layer) const override {
    return site == TapSite::neurons && layer == neuron_.layer;
  }
  void at(TapSite, std::int64_t, at::Tensor& value) override {
    value = value.clone();
    value.select(2, neuron_.neuron).zero_();
  }

 private:
  NeuronIndex neuron_;
};

TEST_F(ProbeRunnerTest, InterventionsAreAtWorkWhileGenerating) {
  const NeuronIndex neuron{1, 4};
  GenerationRequest request{.prompt_set = "p",
                            .thinking = ThinkingMode::off,
                            .max_new_tokens = 5,
                            .refusal_text = "I cannot.",
                            .compliance_text = "Sure, it is"};
  plan_.request(request);
  request.intervention = {.neurons = {}, .scale = 2};
  plan_.request(request);
  request.intervention = {.neurons = {neuron}, .scale = 1};
  plan_.request(request);
  request.intervention = {.neurons = {neuron}, .scale = 0};
  plan_.request(request);
  const ProbeResults results = run(plan_);
  const PromptSet& set = plan_.prompt_set("p");
  bool differs = false;
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    const GeneratedResponse &plain = results.generations[0][i], &ablated = results.generations[3][i];
    for (const std::size_t same : {1U, 2U}) {
      EXPECT_EQ(results.generations[same][i].text, plain.text);
      EXPECT_EQ(results.generations[same][i].refusal_score, plain.refusal_score);
    }
    differs = differs || ablated.text != plain.text;
    EXPECT_NE(ablated.refusal_score, plain.refusal_score);
    std::vector<TokenId> tokens = model_.tokenizer.encode("<|im_start|>user\n" + set.prompts[i].text +
                                                          "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n");
    std::vector<TokenId> spoken;
    while (spoken.size() < 5 && (spoken.empty() || spoken.back() != *model_.tokenizer.token_to_id("<|im_end|>"))) {
      Silence silence(neuron);
      const at::Tensor hidden = model_.decoder.hidden_states(at::tensor(tokens).unsqueeze(0), &silence);
      spoken.push_back(model_.decoder.logits(hidden[0][-1]).argmax().item<std::int64_t>());
      tokens.push_back(spoken.back());
    }
    if (!spoken.empty() && spoken.back() == *model_.tokenizer.token_to_id("<|im_end|>")) spoken.pop_back();
    EXPECT_EQ(ablated.text, visible_text(model_.tokenizer, spoken)) << i;
  }
  EXPECT_TRUE(differs) << "this neuron matters to some answer";
}

TEST(GenerationRows, FollowTheRoomInTheCache) {
  const ProbeRunnerOptions options;
  EXPECT_EQ(generation_rows(24, 64, options), 64) << "short prompts: as many as may be";
  EXPECT_EQ(generation_rows(256, 4096, options), 7);
  EXPECT_EQ(generation_rows(4096, 1'000'000, options), 1);
}

TEST_F(ProbeRunnerTest, GenerationDoesNotDependOnTheRoomInTheCache) {
  plan_.request(GenerationRequest{
      .prompt_set = "p", .max_new_tokens = 6, .refusal_text = "I cannot.", .compliance_text = "Sure, it is"});
  SoloCommunicator communicator;
  const auto generated = [&](std::int64_t cache_positions) {
    ProbeRunnerOptions options;
    options.cache_positions = cache_positions;
    ProbeRunner runner(model_.tokenizer, model_.chat_template, options);
    return runner.run(model_.decoder, plan_, communicator).generations[0];
  };
  const auto together = generated(32768), alone = generated(1);
  for (std::size_t i = 0; i < together.size(); ++i) EXPECT_EQ(together[i].text, alone[i].text) << i;
}

TEST_F(ProbeRunnerTest, ALongThoughtIsScoredWhateverThePromptsLimit) {
  const std::vector<TokenId> thought = model_.tokenizer.encode("<think>" + std::string(60, 'x') + "</think>");
  const std::vector<TokenId> brief = model_.tokenizer.encode("Why?");
  ProbeRunnerOptions options;
  options.batch_tokens = 32;  // the thought is a batch of its own
  options.max_length = 8;
  ProbeTexts texts(model_.tokenizer, model_.chat_template);
  const ProbeContext context{
      .model = model_.decoder, .tokenizer = model_.tokenizer, .texts = texts, .options = options, .plan = plan_};
  const std::vector<AnswerScores> scores = AnswerScorer(context, "I cannot.", "Sure, it is").score({thought, brief});
  ASSERT_EQ(scores.size(), 2U);
  for (const AnswerScores& score : scores) {
    EXPECT_TRUE(std::isfinite(score.refusal_score));
    EXPECT_TRUE(std::isfinite(score.log_likelihood_gap));
  }
}

}  // namespace
}  // namespace rim
