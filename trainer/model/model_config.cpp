#include "trainer/model/model_config.h"

#include <cmath>

#include "data/support/error.h"
#include "trainer/model/config_keys.h"
#include "trainer/model/rope_config.h"

namespace rim {
namespace {

constexpr std::int64_t kLargestSize = std::int64_t{1} << 31;  // of any single size: products of three fit no int64
constexpr std::int64_t kMostLayers = 10'000;
constexpr std::int64_t kLargestHead = 65'536;

bool holds(const Json& config, const char* key) {
  const auto found = config.find(key);
  return found != config.end() && !found->is_null();
}

std::int64_t checked_size(std::int64_t value, const char* key, const std::string& origin) {
  if (value <= 0 || value > kLargestSize) {
    refuse_data(origin, std::string("'") + key + "' is " + std::to_string(value) + ", must be between 1 and 2^31");
  }
  return value;
}

std::int64_t required_size(const Json& config, const char* key, const std::string& origin) {
  return checked_size(json_integer(config, key, origin), key, origin);
}

// transformers fills absent keys with the family's defaults, and null with a value derived from other sizes.
std::int64_t size_or(const Json& config, const char* key, std::int64_t absent, std::int64_t null,
                     const std::string& origin) {
  if (!config.contains(key)) return checked_size(absent, key, origin);
  return checked_size(json_integer_or(config, key, null, origin), key, origin);
}

void read_sizes(const Json& config, const std::string& origin, ModelConfig& result) {
  const bool qwen = result.model_type == "qwen2" || result.model_type == "qwen3";
  result.vocabulary_size = required_size(config, "vocab_size", origin);
  result.hidden_size = required_size(config, "hidden_size", origin);
  result.intermediate_size = required_size(config, "intermediate_size", origin);
  result.layers = required_size(config, "num_hidden_layers", origin);
  result.attention_heads = required_size(config, "num_attention_heads", origin);
  const std::int64_t heads_by_family = result.model_type == "mistral" ? 8 : qwen ? 32 : result.attention_heads;
  result.key_value_heads = size_or(config, "num_key_value_heads", heads_by_family, result.attention_heads, origin);
  if (!holds(config, "head_dim") && result.model_type != "qwen3" && result.hidden_size % result.attention_heads != 0) {
    refuse_data(origin, "'hidden_size' " + std::to_string(result.hidden_size) +
                            " is not a multiple of 'num_attention_heads' " + std::to_string(result.attention_heads));
  }
  const std::int64_t even_share = std::max<std::int64_t>(1, result.hidden_size / result.attention_heads);
  result.head_size = size_or(config, "head_dim", result.model_type == "qwen3" ? 128 : even_share, even_share, origin);
  const std::int64_t positions_by_family = result.model_type == "llama" ? 2048 : qwen ? 32768 : 131072;
  result.max_position_embeddings =
      size_or(config, "max_position_embeddings", positions_by_family, positions_by_family, origin);
}

void check_sizes(const ModelConfig& config, const std::string& origin) {
  if (config.layers > kMostLayers) {
    refuse_data(origin, "'num_hidden_layers' is " + std::to_string(config.layers) + ", must be at most " +
                            std::to_string(kMostLayers));
  }
  if (config.attention_heads % config.key_value_heads != 0) {
    refuse_data(origin, "'num_attention_heads' " + std::to_string(config.attention_heads) +
                            " is not a multiple of 'num_key_value_heads' " + std::to_string(config.key_value_heads));
  }
  if (config.head_size > kLargestHead) {
    refuse_data(origin, "'head_dim' is " + std::to_string(config.head_size) + ", must be at most " +
                            std::to_string(kLargestHead));
  }
  if (config.head_size % 2 != 0) {
    refuse_data(origin, "'head_dim' is " + std::to_string(config.head_size) + ", rotary embeddings need an even one");
  }
  if (!(config.rms_norm_epsilon >= 0) || !std::isfinite(config.rms_norm_epsilon)) {
    refuse_data(origin, "'rms_norm_eps' must not be negative");
  }
  if (!(config.initializer_range >= 0) || !std::isfinite(config.initializer_range)) {
    refuse_data(origin, "'initializer_range' must not be negative");
  }
  const double approximate_parameters =
      2.0 * double(config.vocabulary_size) * double(config.hidden_size) +
      double(config.layers) * double(config.hidden_size) *
          (3.0 * double(config.intermediate_size) +
           double(config.head_size) * 2.0 * (double(config.attention_heads) + double(config.key_value_heads)));
  if (!(approximate_parameters < 1e15)) refuse_data(origin, "the sizes ask for more than 1e15 parameters");
}

std::optional<std::int64_t> window_length(const Json& config, const std::string& origin) {
  const bool qwen = config.at("model_type") != "mistral";
  if (qwen && !json_bool_or(config, "use_sliding_window", false, origin)) return std::nullopt;
  if (!config.contains("sliding_window")) return 4096;  // the families' default in transformers
  if (config.at("sliding_window").is_null()) return std::nullopt;
  return required_size(config, "sliding_window", origin);
}

bool layer_slides(const Json& types, std::size_t layer, const std::string& origin) {
  if (types.at(layer) == "sliding_attention") return true;
  if (types.at(layer) == "full_attention") return false;
  refuse_data(origin, "'layer_types': " + types.at(layer).dump() + " is not supported");
}

void read_sliding_window(const Json& config, const std::string& origin, ModelConfig& result) {
  const auto layers = static_cast<std::size_t>(result.layers);
  result.sliding_window.assign(layers, std::nullopt);
  if (result.model_type == "llama") return;
  const std::optional<std::int64_t> window = window_length(config, origin);
  const bool qwen = result.model_type != "mistral";
  const bool listed = qwen && holds(config, "layer_types");
  if (listed && (!config["layer_types"].is_array() || config["layer_types"].size() != layers)) {
    refuse_data(origin, "'layer_types' must list " + std::to_string(layers) + " layers");
  }
  const std::int64_t first = qwen ? json_integer_or(config, "max_window_layers", 28, origin) : 0;
  for (std::size_t i = 0; i < layers; ++i) {
    const bool slides = listed ? layer_slides(config["layer_types"], i, origin) : static_cast<std::int64_t>(i) >= first;
    if (listed && slides && !window) {
      refuse_data(origin, "'layer_types' asks for sliding attention, but 'sliding_window' is off");
    }
    if (slides) result.sliding_window[i] = window;
  }
}

void read_biases(const Json& config, const std::string& origin, ModelConfig& result) {
  const bool attention_bias = json_bool_or(config, "attention_bias", false, origin);
  result.query_key_value_bias = result.model_type == "qwen2" || attention_bias;
  result.attention_output_bias = attention_bias;
  result.mlp_bias = json_bool_or(config, "mlp_bias", false, origin);
  result.query_key_norm = result.model_type == "qwen3";
}

// One id or a list of them.
std::vector<std::int64_t> end_tokens(const Json& config, std::int64_t vocabulary_size, const std::string& origin) {
  constexpr const char* kKey = "eos_token_id";
  if (!holds(config, kKey)) return {};
  std::vector<std::int64_t> ids;
  for (const Json& element : config[kKey].is_array() ? config[kKey] : Json::array({config[kKey]})) {
    ids.push_back(json_integer({{kKey, element}}, kKey, origin));
    if (ids.back() >= 0 && ids.back() < vocabulary_size) continue;
    refuse_data(origin, "'eos_token_id' " + std::to_string(ids.back()) + " is outside the vocabulary");
  }
  return ids;
}

void read_special_tokens(const Json& config, const std::filesystem::path& file, ModelConfig& result) {
  const std::string origin = file.string();
  result.end_token_ids = end_tokens(config, result.vocabulary_size, origin);
  if (holds(config, "pad_token_id")) {
    const std::int64_t id = json_integer(config, "pad_token_id", origin);
    if (id >= result.vocabulary_size || id < -result.vocabulary_size) {
      refuse_data(origin, "'pad_token_id' " + std::to_string(id) + " is outside the vocabulary");
    }
    result.padding_token = id < 0 ? id + result.vocabulary_size : id;  // torch.nn.Embedding counts from the end
  }
  const std::filesystem::path generation = file.parent_path() / "generation_config.json";
  if (file.filename() != "config.json" || !std::filesystem::exists(generation)) return;
  const Json options = read_json_file(generation);
  if (options.is_object() && holds(options, "eos_token_id")) {
    result.end_token_ids = end_tokens(options, result.vocabulary_size, generation.string());
  }
}

std::string read_family(const Json& config, const std::string& origin) {
  if (!config.is_object()) refuse_data(origin, "expected an object");
  const std::string family = json_string(config, "model_type", origin);
  for (const char* supported : {"llama", "mistral", "qwen2", "qwen3"}) {
    if (family == supported) return family;
  }
  refuse_data(origin, "'model_type': \"" + family + "\" is not supported (supported: llama, mistral, qwen2, qwen3)");
}

}  // namespace

ModelConfig read_model_config(const std::filesystem::path& path) {
  const std::filesystem::path file = std::filesystem::is_directory(path) ? path / "config.json" : path;
  const std::string origin = file.string();
  const Json config = read_json_file(file);
  ModelConfig result;
  result.model_type = read_family(config, origin);
  refuse_unsupported_keys(config, result.model_type, origin);
  read_sizes(config, origin, result);
  result.rms_norm_epsilon = json_number_or(config, "rms_norm_eps", 1e-6, origin);
  result.initializer_range = json_number_or(config, "initializer_range", 0.02, origin);
  check_sizes(result, origin);
  const RopeConfig rope = read_rope_config(config, result.max_position_embeddings, origin);
  result.rope_theta = rope.theta;
  result.rope_scaling = rope.scaling;
  read_sliding_window(config, origin, result);
  read_biases(config, origin, result);
  result.tied_embeddings = json_bool_or(config, "tie_word_embeddings", false, origin);
  result.stored_dtype = json_string_or(config, "dtype", json_string_or(config, "torch_dtype", "", origin), origin);
  read_special_tokens(config, file, result);
  result.source = config;
  return result;
}

}  // namespace rim
