// The runner's activations against plain loops over the same decoder.
#include "monitors/core/probe_runner.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/support/error.h"
#include "monitors/core/probe_texts.h"
#include "tests/monitors/core/bare_prompt.h"
#include "tests/monitors/core/probe_runner_fixture.h"

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

KeepEverything everything(const Decoder& model, const std::vector<TokenId>& tokens) {
  KeepEverything kept;
  model.hidden_states(at::tensor(tokens).unsqueeze(0), &kept);
  return kept;
}

TEST_F(ProbeRunnerTest, RegionMeansEqualAPlainLoop) {
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
    const KeepEverything kept = everything(model_.decoder, tokens);
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

TEST_F(ProbeRunnerTest, BatchCompositionDoesNotMatter) {
  plan_.request(wish(TokenRegion::all));
  plan_.request(wish(TokenRegion::last_prompt, ThinkingMode::off));
  const ProbeResults together = run(plan_), alone = run(plan_, 1);
  EXPECT_EQ(together.forward_passes, 2);
  EXPECT_EQ(alone.forward_passes, 14);
  for (std::size_t handle = 0; handle < 2; ++handle) {
    EXPECT_TRUE(at::allclose(together.activations[handle], alone.activations[handle], kTolerance, kTolerance));
  }
}

TEST_F(ProbeRunnerTest, WishesOnTheSamePromptsShareForwardPasses) {
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

TEST_F(ProbeRunnerTest, InterventionsScaleTheirNeuronsAndWhatFollows) {
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

TEST_F(ProbeRunnerTest, LeavesTheModelAsItWas) {
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

TEST_F(ProbeRunnerTest, NamesThePromptThatDoesNotFit) {
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

TEST_F(ProbeRunnerTest, ResponsesOfPromptsWithoutOneAreRefused) {
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

TEST_F(ProbeRunnerTest, TokenisesOnce) {
  ProbeTexts texts(model_.tokenizer, model_.chat_template);
  PromptSet set = mixed_lengths();
  const auto* first = &texts.of(set, ThinkingMode::on, true);
  set.name = "the same under another name";
  EXPECT_EQ(&texts.of(set, ThinkingMode::on, true), first);
  EXPECT_NE(&texts.of(set, ThinkingMode::off, true), first);
  set.prompts[0].text += "!";
  EXPECT_NE(&texts.of(set, ThinkingMode::on, true), first) << "other prompts by the same name";
}

// Which kernel multiplies depends on the batch's shape, and in bf16 their sums are rounded to eight bits.
TEST_F(ProbeRunnerTest, BatchesMoveBfloat16ActivationsByRounding) {
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

}  // namespace
}  // namespace rim
