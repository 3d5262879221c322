#include "trainer/model/taps.h"

#include <ATen/core/grad_mode.h>

#include <functional>
#include <map>

#include "tests/trainer/model/model_test_support.h"

namespace rim {
namespace {

class Editing : public TapListener {
 public:
  Editing(TapSite site, std::int64_t layer, std::function<void(at::Tensor&)> edit)
      : site_(site), layer_(layer), edit_(std::move(edit)) {}
  [[nodiscard]] bool wants(TapSite site, std::int64_t layer) const override { return site == site_ && layer == layer_; }
  void at(TapSite site, std::int64_t layer, at::Tensor& value) override {
    EXPECT_TRUE(wants(site, layer));
    ++calls;
    edit_(value);
  }
  int calls = 0;

 private:
  TapSite site_;
  std::int64_t layer_;
  std::function<void(at::Tensor&)> edit_;
};

at::Tensor parameter(const Decoder& model, const std::string& name) {
  for (const auto& [known, tensor] : model.parameters()) {
    if (known == name) return tensor;
  }
  throw std::runtime_error(name);
}

TEST(Taps, ListeningChangesNothing) {
  const Decoder model = random_decoder(small_config("qwen3"));
  const at::Tensor tokens = random_tokens(model, 2, 9);
  const at::Tensor untapped = model.hidden_states(tokens);
  for (const TapSite site : {TapSite::residual, TapSite::neurons, TapSite::attention_pattern}) {
    Editing listener(site, 1, [](at::Tensor&) {});
    const at::Tensor tapped = model.hidden_states(tokens, &listener);
    EXPECT_EQ(listener.calls, 1);
    // Watching the pattern takes another path through attention, equal up to rounding.
    if (site == TapSite::attention_pattern) {
      EXPECT_LT(relative_difference(tapped, untapped), 1e-5);
    } else {
      EXPECT_TRUE(at::equal(tapped, untapped));
    }
  }
}

TEST(Taps, RefuseAnotherShapeOrDtype) {
  const Decoder model = random_decoder(small_config());
  const at::Tensor tokens = random_tokens(model, 2, 9);
  const std::map<TapSite, std::string> names = {{TapSite::residual, "layers.1.resid"},
                                                {TapSite::neurons, "layers.1.mlp.neurons"},
                                                {TapSite::attention_pattern, "layers.1.attn.pattern"}};
  for (const auto& [site, name] : names) {
    Editing narrower(site, 1, [](at::Tensor& value) { value = value.narrow(-1, 0, 1); });  // would broadcast
    Editing wider(site, 1, [](at::Tensor& value) { value = value.to(at::kDouble); });
    for (Editing* listener : {&narrower, &wider}) {
      EXPECT_THAT(error_of([&] { model.hidden_states(tokens, listener); }, ExitCode::software),
                  testing::HasSubstr("the tap at " + name));
    }
  }
}

TEST(Taps, SeeTheTrainingPassWithItsGradients) {
  const Decoder model = random_decoder(small_config());
  parameter(model, "model.embed_tokens.weight").set_requires_grad(true);
  const at::Tensor tokens = random_tokens(model, 2, 9);
  Editing halve(TapSite::residual, 0, [](at::Tensor& value) { value = value * 0.5; });
  const at::Tensor loss = model.loss_sum(tokens, tokens, &halve);
  EXPECT_TRUE(loss.requires_grad());
  const at::Tensor embedding = parameter(model, "model.embed_tokens.weight");
  const at::NoGradGuard no_gradients;
  embedding.mul_(0.5);
  EXPECT_LT(relative_difference(loss, model.loss_sum(tokens, tokens)), 1e-6);
}

TEST(Taps, AblatedNeuronsAreGone) {
  const Decoder model = random_decoder(small_config());
  const at::Tensor tokens = random_tokens(model, 2, 9);
  Editing ablation(TapSite::neurons, 0, [](at::Tensor& neurons) {
    neurons = neurons.clone();
    neurons.select(-1, 3).zero_();
  });
  const at::Tensor edited = model.hidden_states(tokens, &ablation);
  EXPECT_FALSE(at::allclose(edited, model.hidden_states(tokens)));
  parameter(model, "model.layers.0.mlp.down_proj.weight").select(1, 3).zero_();
  EXPECT_LT(relative_difference(edited, model.hidden_states(tokens)), 1e-6);
}

TEST(Taps, PatchedResidualTakesOver) {
  const Decoder model = random_decoder(small_config());
  const at::Tensor source = random_tokens(model, 1, 9), target = random_tokens(model, 1, 9);
  at::Tensor kept;
  Editing record(TapSite::residual, 1, [&](at::Tensor& value) { kept = value; });
  const at::Tensor expected = model.hidden_states(source, &record);
  Editing patch(TapSite::residual, 1, [&](at::Tensor& value) { value = kept; });
  EXPECT_TRUE(at::equal(model.hidden_states(target, &patch), expected));
}

TEST(Taps, PatternsAreCausalRowsThatSumToOneAndCanBeReplaced) {
  Json config = small_config("mistral");
  config["sliding_window"] = 4;
  const Decoder model = random_decoder(config);
  const at::Tensor tokens = random_tokens(model, 2, 9);
  at::Tensor pattern;
  Editing record(TapSite::attention_pattern, 0, [&](at::Tensor& value) { pattern = value; });
  model.hidden_states(tokens, &record);
  ASSERT_EQ(pattern.sizes(), at::IntArrayRef({2, 4, 9, 9}));
  EXPECT_TRUE(at::allclose(pattern.sum(-1), at::ones({2, 4, 9})));
  EXPECT_EQ(pattern.triu(1).abs().sum().item<double>(), 0.0);
  EXPECT_EQ(pattern.tril(-4).abs().sum().item<double>(), 0.0);
  Editing erase(TapSite::attention_pattern, 0, [](at::Tensor& value) { value = at::zeros_like(value); });
  const at::Tensor erased = model.hidden_states(tokens, &erase);
  parameter(model, "model.layers.0.self_attn.v_proj.weight").zero_();
  EXPECT_LT(relative_difference(erased, model.hidden_states(tokens)), 1e-6);
}

}  // namespace
}  // namespace rim
