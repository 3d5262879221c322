// The branches in ATen's operators, which GPUs take, on the CPU: a double-precision decoder takes exactly these.
#include "tests/trainer/model/model_test_support.h"

namespace rim {
namespace {

// Norms, rotation tables and the loss are fp32 in both, so that fp32 rounding is what is left (measured: 2e-6).
constexpr double kTolerance = 1e-5;

struct Pass {
  at::Tensor loss;
  std::map<std::string, at::Tensor> gradients;
};

Pass run(const Decoder& model, const at::Tensor& tokens, const at::Tensor& targets) {
  for (const auto& [name, tensor] : model.parameters()) tensor.set_requires_grad(true);
  Pass pass{model.loss_sum(tokens, targets), {}};
  pass.loss.backward();
  for (const auto& [name, tensor] : model.parameters()) pass.gradients[name] = tensor.grad();
  return pass;
}

Json config_of(const std::string& family) {
  Json config = small_config(family);
  if (family == "llama") config.update({{"attention_bias", true}, {"mlp_bias", true}});
  if (family == "mistral") config["sliding_window"] = 9;
  if (family == "qwen2") config["tie_word_embeddings"] = true;
  return config;
}

class Operators : public testing::TestWithParam<std::tuple<std::string, std::int64_t>> {};

TEST_P(Operators, EqualTheKernelsInLossAndGradients) {
  const auto& [family, time] = GetParam();
  const Decoder kernels = random_decoder(config_of(family)), operators = random_decoder(config_of(family), at::kDouble);
  at::manual_seed(2);
  const at::Tensor tokens = random_tokens(kernels, 4, time);
  at::Tensor targets = random_tokens(kernels, 4, time);
  targets.narrow(1, 0, 4).fill_(-100);
  const Pass ours = run(kernels, tokens, targets), theirs = run(operators, tokens, targets);
  EXPECT_LT(relative_difference(ours.loss, theirs.loss), kTolerance);
  for (const auto& [name, gradient] : ours.gradients) {
    EXPECT_LT(relative_difference(gradient, theirs.gradients.at(name)), kTolerance) << name;
  }
}

// Below and above the length from which fp32 attention under a window goes in blocks.
INSTANTIATE_TEST_SUITE_P(Families, Operators,
                         testing::Combine(testing::Values("llama", "mistral", "qwen2", "qwen3"),
                                          testing::Values(21, 530)));

}  // namespace
}  // namespace rim
