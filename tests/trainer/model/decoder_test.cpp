#include "trainer/model/decoder.h"

#include <functional>

#include "tests/trainer/model/model_test_support.h"
#include "trainer/model/attention.h"

namespace rim {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::vector<std::pair<std::string, at::Tensor>> named(const Decoder& model) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [name, tensor] : model.parameters()) tensors.emplace_back(name, tensor);
  return tensors;
}

Json with_window(std::int64_t window) {
  Json config = small_config("mistral");
  config["sliding_window"] = window;
  return config;
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

TEST(Decoder, TiedHeadInTheFileIsCheckedAndIgnored) {
  Json config = small_config();
  config["tie_word_embeddings"] = true;
  const TemporaryFolder folder;
  folder.write("config.json", config.dump());
  auto tensors = named(random_decoder(config));
  for (const auto& [name, tensor] : tensors) EXPECT_NE(name, "lm_head.weight");
  tensors.emplace_back("lm_head.weight", at::zeros({61, 24}));
  write_weight_folder(folder.path(), tensors);
  EXPECT_NO_THROW(load_decoder(folder.path(), at::kFloat, at::kCPU));
  tensors.back().second = at::zeros({60, 24});
  write_weight_folder(folder.path(), tensors);
  EXPECT_THAT(error_of([&] { load_decoder(folder.path(), at::kFloat, at::kCPU); }),
              HasSubstr("lm_head.weight is [60, 24]"));
}

class CachedDecoder : public testing::TestWithParam<Json> {};

// Two rows of different length, fed in uneven pieces, must see what a pass over the whole row sees.
TEST_P(CachedDecoder, EqualsTheFullForwardPass) {
  const Decoder model = random_decoder(GetParam());
  const std::vector<std::int64_t> prompt_lengths = {3, 6};
  const at::Tensor first = random_tokens(model, 1, 11), second = random_tokens(model, 1, 14);
  KeyValueCache cache(model.config(), 2, 14, at::TensorOptions(at::kFloat));
  const at::Tensor padded = at::cat({at::constant_pad_nd(first.narrow(1, 0, 3), {0, 3}), second.narrow(1, 0, 6)});
  const at::Tensor prefill = model.hidden_states(padded, nullptr, &cache, at::tensor(prompt_lengths));
  const at::Tensor full_first = model.hidden_states(first), full_second = model.hidden_states(second);
  EXPECT_LT(relative_difference(prefill[0].narrow(0, 0, 3), full_first[0].narrow(0, 0, 3)), 1e-5);
  EXPECT_EQ(cache.longest, 6);
  std::int64_t done = 0;
  for (const std::int64_t width : {1, 1, 3, 1, 2}) {
    const at::Tensor tokens = at::cat({first.narrow(1, 3 + done, width), second.narrow(1, 6 + done, width)});
    const at::Tensor hidden = model.hidden_states(tokens, nullptr, &cache);
    EXPECT_LT(relative_difference(hidden[0], full_first[0].narrow(0, 3 + done, width)), 1e-5);
    EXPECT_LT(relative_difference(hidden[1], full_second[0].narrow(0, 6 + done, width)), 1e-5);
    done += width;
  }
  EXPECT_THAT(error_of([&] { model.hidden_states(random_tokens(model, 2, 1), nullptr, &cache); }, ExitCode::software),
              HasSubstr("14 positions"));
}

TEST_P(CachedDecoder, SelectedRowsGoOn) {
  const Decoder model = random_decoder(GetParam());
  const at::Tensor tokens = random_tokens(model, 3, 10);
  KeyValueCache cache(model.config(), 3, 10, at::TensorOptions(at::kFloat));
  model.hidden_states(tokens.narrow(1, 0, 9), nullptr, &cache);
  const at::Tensor kept = at::tensor(std::vector<std::int64_t>{2, 0});
  cache.select_rows(kept);
  const at::Tensor next = model.hidden_states(tokens.index_select(0, kept).narrow(1, 9, 1), nullptr, &cache);
  EXPECT_LT(relative_difference(next, model.hidden_states(tokens).index_select(0, kept).narrow(1, 9, 1)), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Families, CachedDecoder,
                         testing::Values(small_config("qwen3"), with_window(4), with_window(1)));

TEST(Attention, AllPathsAgree) {
  at::manual_seed(1);
  for (const std::int64_t time : {1, 5, 70, 300}) {
    for (const std::optional<std::int64_t> window : {std::optional<std::int64_t>(), std::optional<std::int64_t>(20)}) {
      const auto fresh = [&](std::int64_t heads) { return at::randn({2, heads, time, 8}).set_requires_grad(true); };
      AttentionInputs inputs{fresh(6), fresh(2), fresh(2), at::Tensor(), window};
      const at::Tensor weight = at::randn({2, time, 48});
      const auto gradients = [&](const at::Tensor& output) {
        for (const at::Tensor& input : {inputs.query, inputs.key, inputs.value}) input.mutable_grad().reset();
        (output * weight).sum().backward();
        return std::vector<at::Tensor>{output.detach(), inputs.query.grad(), inputs.key.grad(), inputs.value.grad()};
      };
      const auto fast = gradients(attend(inputs));
      const auto explicit_one = gradients(attend(inputs, [](at::Tensor&) {}));
      for (std::size_t i = 0; i < fast.size(); ++i) {
        EXPECT_TRUE(at::allclose(fast[i], explicit_one[i], 1e-4, 2e-6)) << time << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace rim
