#include "trainer/model/decoder.h"

#include <functional>

#include "tests/trainer/model/model_test_support.h"

namespace rim {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::vector<std::pair<std::string, at::Tensor>> named(const Decoder& model) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [name, tensor] : model.parameters()) tensors.emplace_back(name, tensor);
  return tensors;
}

TEST(Decoder, PaddingOnTheRightChangesNothing) {
  const Decoder model = random_decoder(small_config("qwen3"));
  const at::Tensor tokens = random_tokens(model, 1, 7);
  const at::Tensor padded = at::cat({tokens, random_tokens(model, 1, 4)}, 1);
  EXPECT_LT(relative_difference(model.hidden_states(padded).narrow(1, 0, 7), model.hidden_states(tokens)), 1e-6);
}

TEST(Decoder, ParametersStartWithoutGradients) {
  const Decoder model = random_decoder(small_config());
  for (const auto& [name, tensor] : model.parameters()) EXPECT_FALSE(tensor.requires_grad()) << name;
}

TEST(Decoder, LossIsTheSumOverTrainedPositions) {
  const Decoder model = random_decoder(small_config("qwen2"));
  const at::Tensor tokens = random_tokens(model, 2, 9);
  at::Tensor targets = random_tokens(model, 2, 9);
  targets.narrow(1, 0, 4).fill_(-100);
  const at::Tensor logits = model.logits(model.hidden_states(tokens)).flatten(0, 1);
  const at::Tensor expected = at::cross_entropy_loss(logits, targets.flatten(), {}, at::Reduction::Sum, -100);
  EXPECT_LT(relative_difference(model.loss_sum(tokens, targets), expected), 1e-6);
}

// Freezing must leave the other gradients bit for bit as they are, whichever parameters are frozen.
TEST(Decoder, FrozenParametersGetNoGradientAndChangeNoOther) {
  Json config = small_config("llama");
  config.update({{"attention_bias", true}, {"mlp_bias", true}});
  const Decoder model = random_decoder(config);
  const at::Tensor tokens = random_tokens(model, 2, 9), targets = random_tokens(model, 2, 9);
  const auto gradients_of = [&](const std::function<bool(std::size_t)>& is_trained) {
    std::vector<at::Tensor> gradients;
    const auto parameters = model.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      parameters[i].tensor.set_requires_grad(is_trained(i));
      parameters[i].tensor.mutable_grad().reset();
    }
    model.loss_sum(tokens, targets).backward();
    for (const auto& [name, tensor] : parameters) gradients.push_back(tensor.grad());
    return gradients;
  };
  const auto all = gradients_of([](std::size_t) { return true; });
  for (std::size_t trained = 0; trained < all.size(); ++trained) {
    const auto some = gradients_of([&](std::size_t i) { return i == trained; });
    for (std::size_t i = 0; i < all.size(); ++i) {
      ASSERT_EQ(some[i].defined(), i == trained) << model.parameters()[i].name;
    }
    EXPECT_TRUE(at::equal(some[trained], all[trained])) << model.parameters()[trained].name;
  }
}

TEST(Decoder, RefusesTokensOutsideTheVocabulary) {
  const Decoder model = random_decoder(small_config());
  for (const std::int64_t token : {std::int64_t{-1}, std::int64_t{61}}) {
    EXPECT_THAT(error_of([&] {
                  model.hidden_states(at::full({1, 2}, token, at::kLong));
                }),
                HasSubstr("vocabulary of 61"));
  }
}

TEST(Decoder, LoadsWhatItSaved) {
  const TemporaryFolder folder;
  const Decoder saved = random_decoder(small_config());
  folder.write("config.json", small_config().dump());
  write_weight_folder(folder.path(), named(saved));
  const Decoder loaded = load_decoder(folder.path(), at::kFloat, at::kCPU);
  const Decoder rounded = load_decoder(folder.path(), at::kBFloat16, at::kCPU);
  for (std::size_t i = 0; i < saved.parameters().size(); ++i) {
    const at::Tensor expected = saved.parameters()[i].tensor;
    EXPECT_TRUE(at::equal(loaded.parameters()[i].tensor, expected));
    EXPECT_TRUE(at::equal(rounded.parameters()[i].tensor, expected.to(at::kBFloat16)));
  }
}

TEST(Decoder, ListsMissingUnexpectedAndMisshapenTensors) {
  const TemporaryFolder folder;
  folder.write("config.json", small_config().dump());
  auto tensors = named(random_decoder(small_config()));
  tensors[1].second = at::zeros({3, 5});
  tensors[2].first = "model.layers.0.self_attn.odd";
  tensors.emplace_back("model.layers.0.self_attn.rotary_emb.inv_freq", at::zeros({3}));  // harmless, from old versions
  write_weight_folder(folder.path(), tensors);
  const std::string message = error_of([&] { load_decoder(folder.path(), at::kFloat, at::kCPU); });
  EXPECT_THAT(message,
              AllOf(HasSubstr(folder.path().string()), HasSubstr("missing: model.layers.0.self_attn.k_proj.weight"),
                    HasSubstr("unexpected: model.layers.0.self_attn.odd"),
                    HasSubstr("misshapen: model.layers.0.self_attn.q_proj.weight is [3, 5], must be [24, 24]")));
  EXPECT_THAT(message, testing::Not(HasSubstr("inv_freq")));
}

TEST(Decoder, RefusesIntegerWeights) {
  const TemporaryFolder folder;
  folder.write("config.json", small_config().dump());
  auto tensors = named(random_decoder(small_config()));
  tensors[0].second = at::zeros({61, 24}, at::kChar);
  write_weight_folder(folder.path(), tensors);
  EXPECT_THAT(error_of([&] { load_decoder(folder.path(), at::kFloat, at::kCPU); }), HasSubstr("embed_tokens"));
}

// A folder of a tied model with these two matrices stored; an undefined one is left out.
class TiedFolder {
 public:
  TiedFolder(const at::Tensor& embedding, const at::Tensor& head) {
    Json config = small_config();
    config["tie_word_embeddings"] = true;
    folder_.write("config.json", config.dump());
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    for (const auto& [name, tensor] : named(random_decoder(config))) {
      EXPECT_NE(name, "lm_head.weight");
      if (name != "model.embed_tokens.weight") tensors.emplace_back(name, tensor);
    }
    if (embedding.defined()) tensors.emplace_back("model.embed_tokens.weight", embedding);
    if (head.defined()) tensors.emplace_back("lm_head.weight", head);
    write_weight_folder(folder_.path(), tensors);
  }
  Decoder load() const { return load_decoder(folder_.path(), at::kFloat, at::kCPU); }

 private:
  TemporaryFolder folder_;
};

TEST(Decoder, TiedEmbeddingsMayBeStoredAsEitherMatrixOrAsBoth) {
  const at::Tensor matrix = at::randn({61, 24});
  for (const auto& [embedding, head] : {std::pair(matrix, at::Tensor()), std::pair(at::Tensor(), matrix),
                                        std::pair(matrix, matrix), std::pair(matrix.to(at::kDouble), matrix)}) {
    EXPECT_TRUE(at::equal(TiedFolder(embedding, head).load().parameters().front().tensor, matrix));
  }
}

TEST(Decoder, RefusesAHeadThatDiffersFromTiedEmbeddings) {
  const at::Tensor matrix = at::randn({61, 24});
  at::Tensor other = matrix.clone();
  other[60][23] += 1e-3;
  EXPECT_THAT(
      error_of([&] { TiedFolder(matrix, other).load(); }),
      AllOf(HasSubstr("'lm_head.weight' differs"), HasSubstr("set tie_word_embeddings to false in config.json")));
  EXPECT_THAT(error_of([&] {
                TiedFolder(matrix, at::zeros({60, 24})).load();
              }),
              HasSubstr("lm_head.weight is [60, 24]"));
  EXPECT_THAT(error_of([&] { TiedFolder({}, {}).load(); }), HasSubstr("missing: model.embed_tokens.weight"));
}

}  // namespace
}  // namespace rim
