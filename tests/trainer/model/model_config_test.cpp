#include "trainer/model/model_config.h"

#include "tests/trainer/model/model_test_support.h"

namespace rim {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Windows = std::vector<std::optional<std::int64_t>>;

Json changed(const std::string& family, const std::string& key, Json value) {
  Json config = small_config(family);
  config[key] = std::move(value);
  return config;
}

struct Refusal {
  std::string family, key;
  Json value;
  std::string named;  // must stand in the message beside the key
};

class ConfigRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(ConfigRefusal, NamesKeyAndValue) {
  const Refusal& refusal = GetParam();
  const std::string message = error_of([&] { read_config(changed(refusal.family, refusal.key, refusal.value)); });
  EXPECT_THAT(message, AllOf(HasSubstr("config.json"), HasSubstr(refusal.key), HasSubstr(refusal.named)));
}

INSTANTIATE_TEST_SUITE_P(
    Keys, ConfigRefusal,
    testing::Values(
        Refusal{"llama", "model_type", "gpt2", "gpt2"}, Refusal{"llama", "hidden_act", "gelu", "gelu"},
        Refusal{"llama", "attention_dropout", 0.1, "0.1"}, Refusal{"llama", "partial_rotary_factor", 0.5, "0.5"},
        Refusal{"qwen3", "num_experts", 8, "8"}, Refusal{"qwen3", "mlp_bias", true, "true"},
        Refusal{"mistral", "attention_bias", true, "true"},
        Refusal{"llama", "quantization_config", {{"bits", 4}}, "bits"},
        Refusal{"llama", "final_logit_softcapping", 30.0, "30.0"}, Refusal{"llama", "sliding_window", 512, "512"},
        Refusal{"llama", "layer_typos", 1, "not a key known"}, Refusal{"llama", "rope_interleaved", true, "true"},
        Refusal{"llama", "rope_scaling", {{"rope_type", "yarn"}, {"factor", 2.0}}, "yarn"},
        Refusal{"llama", "rope_scaling", {{"type", "linear"}, {"factor", 2.0}}, "linear"},
        Refusal{"llama", "rope_scaling", "llama3", "object"},
        Refusal{"llama", "rope_parameters", {{"rope_theta", 1e4}, {"mrope_section", {1, 2}}}, "mrope_section"},
        Refusal{"llama", "rope_theta", nullptr, "null"},
        Refusal{"llama", "rope_parameters", {{"rope_theta", nullptr}}, "rope_theta' is null"},
        Refusal{"llama", "rope_theta", -1.0, "positive"}, Refusal{"llama", "rope_theta", "big", "number"}));

INSTANTIATE_TEST_SUITE_P(
    Sizes, ConfigRefusal,
    testing::Values(
        Refusal{"llama", "vocab_size", 0, "0"}, Refusal{"llama", "hidden_size", -8, "-8"},
        Refusal{"llama", "hidden_size", 24.5, "whole number"}, Refusal{"llama", "hidden_size", "24", "whole number"},
        Refusal{"llama", "vocab_size", 18446744073709551615ULL, "too large"},
        Refusal{"llama", "vocab_size", 1LL << 40, "2^31"},
        Refusal{"llama", "intermediate_size", nullptr, "whole number"},
        Refusal{"llama", "num_key_value_heads", 3, "multiple"}, Refusal{"llama", "num_key_value_heads", 0, "0"},
        Refusal{"llama", "head_dim", 7, "even"}, Refusal{"llama", "num_hidden_layers", 1000000, "1000000"},
        Refusal{"llama", "pad_token_id", 61, "vocabulary"}, Refusal{"llama", "rms_norm_eps", -1.0, "negative"},
        Refusal{"qwen2", "layer_types", {"full_attention"}, "2 layers"},
        Refusal{"qwen2", "layer_types", {"full_attention", "chunked"}, "chunked"},
        Refusal{"qwen2", "layer_types", {"full_attention", "sliding_attention"}, "sliding_window"}));

TEST(ModelConfig, RefusesMissingSizesAndFiles) {
  for (const char* key :
       {"model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"}) {
    Json config = small_config();
    config.erase(key);
    EXPECT_THAT(error_of([&] { read_config(config); }), HasSubstr(key));
  }
  EXPECT_THAT(error_of([&] { read_config(Json::array()); }), HasSubstr("object"));
  EXPECT_THAT(error_of([&] { read_model_config("/nonexistent/config.json"); }, ExitCode::no_input), HasSubstr("nonex"));
}

TEST(ModelConfig, EndTokensLieInTheVocabulary) {
  const std::int64_t vocabulary = small_config().at("vocab_size");
  for (const Json& bad : {Json(vocabulary), Json(-1), Json({0, 10 * vocabulary})}) {
    EXPECT_THAT(error_of([&] { read_config(changed("llama", "eos_token_id", bad)); }),
                AllOf(HasSubstr("eos_token_id"), HasSubstr("outside the vocabulary")));
  }
  EXPECT_EQ(read_config(changed("llama", "eos_token_id", {0, vocabulary - 1})).end_token_ids,
            (std::vector<std::int64_t>{0, vocabulary - 1}));
}

TEST(ModelConfig, ReportsEveryUnsupportedKeyAtOnce) {
  Json config = changed("llama", "hidden_act", "gelu");
  config["attention_dropout"] = 0.5;
  EXPECT_THAT(error_of([&] { read_config(config); }), AllOf(HasSubstr("gelu"), HasSubstr("attention_dropout")));
}

TEST(ModelConfig, AcceptsKeysThatChangeNothing) {
  Json config = small_config();
  config.update({{"use_cache", true},
                 {"architectures", {"LlamaForCausalLM"}},
                 {"torch_dtype", "bfloat16"},
                 {"hidden_act", "silu"},
                 {"attention_dropout", 0.0},
                 {"mlp_bias", false},
                 {"pretraining_tp", 2},
                 {"max_sequence_length", 2048},
                 {"model_max_length", 4096},
                 {"rope_interleaved", false},
                 {"quantization_config", nullptr},
                 {"is_llama_config", true}});
  EXPECT_EQ(read_config(config).stored_dtype, "bfloat16");
}

TEST(ModelConfig, FillsAbsentKeysAsTransformers) {
  Json config = small_config();
  for (const char* key : {"num_key_value_heads", "head_dim"}) config.erase(key);
  const ModelConfig read = read_config(config);
  EXPECT_EQ(read.key_value_heads, 4);
  EXPECT_EQ(read.head_size, 6);
  EXPECT_EQ(read.rope_theta, 10000.0);
  EXPECT_EQ(read.rms_norm_epsilon, 1e-6);
  EXPECT_FALSE(read.tied_embeddings);
  Json qwen = small_config("qwen3");
  qwen.erase("head_dim");
  EXPECT_EQ(read_config(qwen).head_size, 128);
  Json mistral = small_config("mistral");
  mistral.erase("sliding_window");
  EXPECT_EQ(read_config(mistral).sliding_window, (Windows{4096, 4096}));
}

TEST(ModelConfig, SlidingWindowsPerLayer) {
  EXPECT_EQ(read_config(changed("mistral", "sliding_window", 8)).sliding_window, (Windows{8, 8}));
  EXPECT_EQ(read_config(changed("qwen2", "sliding_window", 8)).sliding_window, (Windows{{}, {}}));
  Json config = changed("qwen2", "use_sliding_window", true);
  config.update({{"sliding_window", 8}, {"max_window_layers", 1}});
  EXPECT_EQ(read_config(config).sliding_window, (Windows{{}, 8}));
  config["layer_types"] = {"sliding_attention", "full_attention"};
  EXPECT_EQ(read_config(config).sliding_window, (Windows{8, {}}));
}

TEST(ModelConfig, ReadsBothSpellingsOfRopeScaling) {
  const Json scaling = {{"rope_type", "llama3"}, {"factor", 32.0}, {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0}};
  Json old_spelling = changed("llama", "rope_scaling", scaling);
  old_spelling["rope_theta"] = 500000.0;
  Json new_spelling = changed("llama", "rope_parameters", scaling);
  new_spelling["rope_parameters"]["rope_theta"] = 500000.0;
  for (const Json& config : {old_spelling, new_spelling}) {
    const ModelConfig read = read_config(config);
    EXPECT_EQ(read.rope_theta, 500000.0);
    ASSERT_TRUE(read.rope_scaling.has_value());
    EXPECT_EQ(read.rope_scaling->factor, 32.0);
    EXPECT_EQ(read.rope_scaling->original_max_position_embeddings, 64);  // transformers' fallback
  }
}

TEST(ModelConfig, ThetaInsideRopeParametersWinsOverNullOutside) {
  Json config = changed("llama", "rope_parameters", {{"rope_type", "default"}, {"rope_theta", 5e4}});
  config["rope_theta"] = nullptr;
  EXPECT_EQ(read_config(config).rope_theta, 5e4);
}

TEST(ModelConfig, EndTokensComeFromTheGenerationConfigWhereThereIsOne) {
  const TemporaryFolder folder;
  folder.write("config.json", changed("llama", "eos_token_id", 7).dump());
  EXPECT_THAT(read_model_config(folder.path()).end_token_ids, ElementsAre(7));
  folder.write("generation_config.json", R"({"eos_token_id": [7, 9]})");
  EXPECT_THAT(read_model_config(folder.path()).end_token_ids, ElementsAre(7, 9));
}

}  // namespace
}  // namespace rim
