// The runner against plain loops over the same decoder.
#include "monitors/core/probe_runner.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/support/error.h"
#include "data/tokenizer/think_span.h"
#include "monitors/core/answer_scores.h"
#include "monitors/core/generation_pass.h"
#include "monitors/core/probe_context.h"
#include "monitors/core/probe_sequence.h"
#include "monitors/core/refusal_tokens.h"
#include "tests/monitors/core/bare_prompt.h"
#include "tests/monitors/core/solo_communicator.h"
#include "tests/monitors/core/tiny_model.h"
#include "trainer/model/generation.h"

namespace rim {
namespace {

constexpr double kTolerance = 1e-5;

// Keeps every layer's neurons (and residuals) of one forward pass.
class KeepEverything : public TapListener {
 public:
  [[nodiscard]] bool wants(TapSite site, std::int64_t) const override { return site != TapSite::attention_pattern; }
  void at(TapSite site, std::int64_t, at::Tensor& value) override {
    (site == TapSite::neurons ? neurons : residuals).push_back(value.detach().clone()[0]);
  }
  std::vector<at::Tensor> neurons, residuals;  // by layer: [time, width]
};

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

PromptSet mixed_lengths() {
  PromptSet set{.name = "p", .prompts = {}};
  const std::vector<std::string> words{"Hi",
                                       "How do I bake a loaf of bread at home?",
                                       "Why?",
                                       "Name three rivers.",
                                       "Add 2 and 3, and then take 1 from what you have got.",
                                       "ok",
                                       "é"};
  for (const std::string& text : words) {
    set.prompts.push_back({.id = "p:" + std::to_string(set.prompts.size()),
                           .text = text,
                           .reasoning = "short thought",
                           .response = "So " + text,
                           .answer = ""});
  }
  return set;
}

class Runner : public testing::Test {
 protected:
  Runner() { plan_.add_prompt_set(mixed_lengths()); }

  ProbeResults run(const ProbePlan& plan, std::int64_t batch_tokens = 8192) {
    ProbeRunnerOptions options;
    options.batch_tokens = batch_tokens;
    options.stop_tokens = {*model_.tokenizer.token_to_id("<|im_end|>")};
    SoloCommunicator communicator;
    return ProbeRunner(model_.tokenizer, model_.chat_template, options).run(model_.decoder, plan, communicator);
  }

  KeepEverything everything(const std::vector<TokenId>& tokens) const {
    KeepEverything kept;
    model_.decoder.hidden_states(at::tensor(tokens).unsqueeze(0), &kept);
    return kept;
  }

  ActivationRequest wish(TokenRegion region, ThinkingMode thinking = ThinkingMode::on) const {
    return {.prompt_set = "p", .site = TapSite::neurons, .region = region, .thinking = thinking, .intervention = {}};
  }

  TinyModel model_{"rimscope-probe-runner-test"};
  ProbePlan plan_;
};

TEST_F(Runner, RegionMeansEqualAPlainLoop) {
  std::vector<std::size_t> handles;
  for (const TokenRegion region :
       {TokenRegion::prompt, TokenRegion::last_prompt, TokenRegion::response, TokenRegion::all}) {
    handles.push_back(plan_.request(wish(region)));
  }
  const std::size_t residual = plan_.request(ActivationRequest{.prompt_set = "p",
                                                               .site = TapSite::residual,
                                                               .region = TokenRegion::response,
                                                               .thinking = ThinkingMode::on,
                                                               .intervention = {}});
  const ProbeResults results = run(plan_, 300);
  const PromptSet& set = plan_.prompt_set("p");
  ASSERT_EQ(results.activations[0].sizes().vec(), (std::vector<std::int64_t>{7, 3, 24}));
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    // Written out by hand: ChatML, a think span, and the token that ends the turn.
    const Prompt& prompt = set.prompts[i];
    const std::string asked = "<|im_start|>user\n" + prompt.text + "<|im_end|>\n<|im_start|>assistant\n";
    const std::string answered = "<think>\n" + prompt.reasoning + "\n</think>\n\n" + prompt.response + "<|im_end|>";
    const auto tokens = model_.tokenizer.encode(asked + answered);
    const auto length = std::ssize(model_.tokenizer.encode(asked)), total = std::ssize(tokens);
    const KeepEverything kept = everything(tokens);
    for (std::int64_t layer = 0; layer < 3; ++layer) {
      const at::Tensor& neurons = kept.neurons[static_cast<std::size_t>(layer)];
      const auto agrees = [&](std::size_t handle, const at::Tensor& positions) {
        EXPECT_TRUE(at::allclose(results.activations[handle][static_cast<std::int64_t>(i)][layer], positions.mean(0),
                                 kTolerance, kTolerance))
            << "prompt " << i << " layer " << layer << " request " << handle;
      };
      agrees(handles[0], neurons.slice(0, 0, length));
      agrees(handles[1], neurons.slice(0, length - 1, length));
      agrees(handles[2], neurons.slice(0, length, total));
      agrees(handles[3], neurons);
      agrees(residual, kept.residuals[static_cast<std::size_t>(layer)].slice(0, length, total));
    }
  }
}

TEST_F(Runner, BatchCompositionDoesNotMatter) {
  plan_.request(wish(TokenRegion::all));
  plan_.request(wish(TokenRegion::last_prompt, ThinkingMode::off));
  const ProbeResults together = run(plan_), alone = run(plan_, 1);
  EXPECT_EQ(together.forward_passes, 2);
  EXPECT_EQ(alone.forward_passes, 14);
  for (std::size_t handle = 0; handle < 2; ++handle) {
    EXPECT_TRUE(at::allclose(together.activations[handle], alone.activations[handle], kTolerance, kTolerance));
  }
}

TEST_F(Runner, WishesOnTheSamePromptsShareForwardPasses) {
  plan_.request(wish(TokenRegion::last_prompt));
  const ProbeResults alone = run(plan_);
  EXPECT_EQ(alone.forward_passes, 1);
  plan_.request(wish(TokenRegion::all));  // brings the responses in
  const ProbeResults shared = run(plan_);
  EXPECT_EQ(shared.forward_passes, 1);
  EXPECT_TRUE(at::allclose(shared.activations[0], alone.activations[0], kTolerance, kTolerance));
  plan_.request(wish(TokenRegion::all, ThinkingMode::off));
  ActivationRequest ablated = wish(TokenRegion::all);
  ablated.intervention.neurons = {{0, 0}};
  plan_.request(ablated);
  EXPECT_EQ(run(plan_).forward_passes, 3);
}

TEST_F(Runner, InterventionsScaleTheirNeuronsAndWhatFollows) {
  plan_.request(wish(TokenRegion::all));
  ActivationRequest scaled = wish(TokenRegion::all);
  scaled.intervention = {.neurons = {{1, 4}, {1, 9}}, .scale = 0.0};
  plan_.request(scaled);
  scaled.intervention.scale = 1.0;
  plan_.request(scaled);
  scaled.intervention.scale = 3.0;
  plan_.request(scaled);
  const ProbeResults results = run(plan_);
  const auto layer = [&](std::size_t handle, std::int64_t index) {
    return results.activations[handle].select(1, index);
  };
  EXPECT_TRUE(at::equal(layer(0, 0), layer(1, 0))) << "layers before it are untouched";
  EXPECT_EQ(layer(1, 1).select(1, 4).abs().max().item<float>(), 0.0F);
  EXPECT_TRUE(at::equal(layer(0, 1).select(1, 5), layer(1, 1).select(1, 5))) << "its neighbours are untouched";
  EXPECT_FALSE(at::allclose(layer(0, 2), layer(1, 2), 1e-3, 1e-3)) << "later layers must feel it";
  EXPECT_TRUE(at::equal(results.activations[0], results.activations[2])) << "scaling by one changes nothing";
  EXPECT_TRUE(at::allclose(layer(3, 1).select(1, 9), layer(0, 1).select(1, 9).mul(3), kTolerance, kTolerance));

  scaled.intervention.neurons = {{3, 0}};
  plan_.request(scaled);
  EXPECT_THROW(run(plan_), Error) << "there is no layer 3";
}

TEST_F(Runner, LeavesTheModelAsItWas) {
  std::vector<at::Tensor> before;
  for (const NamedParameter& parameter : model_.decoder.parameters()) {
    parameter.tensor.set_requires_grad(true);
    before.push_back(parameter.tensor.detach().clone());
  }
  plan_.request(wish(TokenRegion::all));
  plan_.request(GenerationRequest{.prompt_set = "p", .max_new_tokens = 4});
  const ProbeResults results = run(plan_);
  EXPECT_FALSE(results.activations[0].requires_grad());
  std::size_t i = 0;
  for (const NamedParameter& parameter : model_.decoder.parameters()) {
    EXPECT_TRUE(at::equal(parameter.tensor, before[i++])) << parameter.name;
    EXPECT_FALSE(parameter.tensor.grad().defined());
  }
}

TEST_F(Runner, NamesThePromptThatDoesNotFit) {
  PromptSet set{.name = "long", .prompts = {bare_prompt("first", "x"), bare_prompt("second", std::string(5000, 'x'))}};
  ProbePlan plan;
  plan.add_prompt_set(set);
  ActivationRequest request = wish(TokenRegion::last_prompt);
  request.prompt_set = "long";
  plan.request(request);
  try {
    run(plan);
    FAIL() << "5000 tokens went through";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    EXPECT_THAT(error.what(), testing::HasSubstr("prompt set 'long', prompt 'second': is 50"));
  }
}

TEST_F(Runner, ResponsesOfPromptsWithoutOneAreRefused) {
  ProbePlan plan;
  plan.add_prompt_set({.name = "p", .prompts = {bare_prompt("bare", "x")}});
  EXPECT_THROW(plan.request(wish(TokenRegion::response)), Error) << "before anything runs";
  ProbePlan all;
  all.add_prompt_set({.name = "p", .prompts = {bare_prompt("bare", "x")}});
  all.request(wish(TokenRegion::all));
  all.request(wish(TokenRegion::prompt));
  const ProbeResults results = run(all);
  EXPECT_TRUE(at::equal(results.activations[0], results.activations[1])) << "all of it is the prompt";
}

TEST_F(Runner, GeneratesWithTheModesPrompt) {
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

TEST_F(Runner, ScoresTheStartOfTheAnswerAsAPlainLoopDoes) {
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

TEST_F(Runner, InterventionsAreAtWorkWhileGenerating) {
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

TEST_F(Runner, TokenisesOnce) {
  ProbeTexts texts(model_.tokenizer, model_.chat_template);
  PromptSet set = mixed_lengths();
  const auto* first = &texts.of(set, ThinkingMode::on, true);
  set.name = "the same under another name";
  EXPECT_EQ(&texts.of(set, ThinkingMode::on, true), first);
  EXPECT_NE(&texts.of(set, ThinkingMode::off, true), first);
  set.prompts[0].text += "!";
  EXPECT_NE(&texts.of(set, ThinkingMode::on, true), first) << "other prompts by the same name";
}

TEST(GenerationRows, FollowTheRoomInTheCache) {
  const ProbeRunnerOptions options;
  EXPECT_EQ(generation_rows(24, 64, options), 64) << "short prompts: as many as may be";
  EXPECT_EQ(generation_rows(256, 4096, options), 7);
  EXPECT_EQ(generation_rows(4096, 1'000'000, options), 1);
}

// Which kernel multiplies depends on the batch's shape, and in bf16 their sums are rounded to eight bits.
TEST_F(Runner, BatchesMoveBfloat16ActivationsByRounding) {
  const TinyModel half("rimscope-probe-runner-bf16-test", at::kBFloat16);
  const std::size_t handle = plan_.request(wish(TokenRegion::all));
  SoloCommunicator communicator;
  const auto activations = [&](std::int64_t batch_tokens) {
    ProbeRunnerOptions options;
    options.batch_tokens = batch_tokens;
    ProbeRunner runner(half.tokenizer, half.chat_template, options);
    return runner.run(half.decoder, plan_, communicator).activations[handle];
  };
  const at::Tensor alone = activations(1), together = activations(8192);
  EXPECT_LT(((alone - together).norm() / alone.norm()).item<double>(), 2e-2);
}

TEST_F(Runner, GenerationDoesNotDependOnTheRoomInTheCache) {
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

TEST_F(Runner, ALongThoughtIsScoredWhateverThePromptsLimit) {
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
