// Decoder's weights: allocation, names, initialisation and loading.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <set>

#include "data/support/error.h"
#include "trainer/model/decoder.h"
#include "trainer/model/rope.h"

namespace rim {
namespace {

constexpr std::size_t kNamesPerError = 5;
constexpr const char* kEmbedding = "model.embed_tokens.weight";
constexpr const char* kHead = "lm_head.weight";

// "a, b, c and 7 more".
std::string shortened_list(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesPerError); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kNamesPerError) text += " and " + std::to_string(names.size() - kNamesPerError) + " more";
  return text;
}

std::string shape_text(at::IntArrayRef shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

bool ends_with(const std::string& text, std::string_view end) { return text.ends_with(end); }

// Stored by old versions of transformers, computed here.
bool is_derived(const std::string& name) { return ends_with(name, ".rotary_emb.inv_freq"); }

bool is_norm(const std::string& name) { return ends_with(name, "norm.weight"); }

// A tied model's matrix may be stored as the head alone.
std::string stored_name(const WeightFolder& weights, bool tied, const std::string& name) {
  const bool as_head = tied && name == kEmbedding && !weights.contains(kEmbedding) && weights.contains(kHead);
  return as_head ? kHead : name;
}

// Which of two different matrices is meant nobody here can know; transformers then leaves them untied.
void require_equal_head(const WeightFolder& weights) {
  if (!weights.contains(kEmbedding) || !weights.contains(kHead)) return;
  const at::Tensor head = weights.read(kHead);
  if (at::equal(head, weights.read(kEmbedding).to(head.scalar_type()))) return;
  throw Error(ExitCode::bad_data, std::string("'") + kHead + "' differs from '" + kEmbedding +
                                      "', but config.json ties them: set tie_word_embeddings to false in config.json");
}

}  // namespace

Decoder::Decoder(ModelConfig config, at::ScalarType dtype, at::Device device)
    : config_(std::move(config)), dtype_(dtype), device_(device) {
  const auto make = [&](std::initializer_list<std::int64_t> shape) {
    return at::empty(shape, at::TensorOptions(dtype_).device(device_));
  };
  const std::int64_t width = config_.hidden_size;
  const std::int64_t queries = config_.attention_heads * config_.head_size;
  const std::int64_t pairs = config_.key_value_heads * config_.head_size;
  const std::int64_t neurons = config_.intermediate_size;
  embedding_ = make({config_.vocabulary_size, width});
  final_norm_ = make({width});
  if (!config_.tied_embeddings) head_ = make({config_.vocabulary_size, width});
  layers_.resize(static_cast<std::size_t>(config_.layers));
  for (Layer& layer : layers_) {
    layer.input_norm = make({width});
    layer.post_attention_norm = make({width});
    layer.query = make({queries, width});
    layer.key = make({pairs, width});
    layer.value = make({pairs, width});
    layer.output = make({width, queries});
    layer.gate = make({neurons, width});
    layer.up = make({neurons, width});
    layer.down = make({width, neurons});
    if (config_.query_key_value_bias) {
      layer.query_bias = make({queries});
      layer.key_bias = make({pairs});
      layer.value_bias = make({pairs});
    }
    if (config_.attention_output_bias) layer.output_bias = make({width});
    if (config_.query_key_norm) {
      layer.query_norm = make({config_.head_size});
      layer.key_norm = make({config_.head_size});
    }
    if (config_.mlp_bias) {
      layer.gate_bias = make({neurons});
      layer.up_bias = make({neurons});
      layer.down_bias = make({width});
    }
  }
  inverse_frequencies_ = inverse_frequencies(config_).to(device_);
}

std::vector<NamedParameter> Decoder::parameters() const {
  std::vector<NamedParameter> result;
  const auto add = [&](std::string name, const at::Tensor& tensor) {
    if (tensor.defined()) result.push_back({std::move(name), tensor});
  };
  add(kEmbedding, embedding_);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const std::string prefix = "model.layers." + std::to_string(i) + ".";
    add(prefix + "self_attn.q_proj.weight", layer.query);
    add(prefix + "self_attn.q_proj.bias", layer.query_bias);
    add(prefix + "self_attn.k_proj.weight", layer.key);
    add(prefix + "self_attn.k_proj.bias", layer.key_bias);
    add(prefix + "self_attn.v_proj.weight", layer.value);
    add(prefix + "self_attn.v_proj.bias", layer.value_bias);
    add(prefix + "self_attn.o_proj.weight", layer.output);
    add(prefix + "self_attn.o_proj.bias", layer.output_bias);
    add(prefix + "self_attn.q_norm.weight", layer.query_norm);
    add(prefix + "self_attn.k_norm.weight", layer.key_norm);
    add(prefix + "mlp.gate_proj.weight", layer.gate);
    add(prefix + "mlp.gate_proj.bias", layer.gate_bias);
    add(prefix + "mlp.up_proj.weight", layer.up);
    add(prefix + "mlp.up_proj.bias", layer.up_bias);
    add(prefix + "mlp.down_proj.weight", layer.down);
    add(prefix + "mlp.down_proj.bias", layer.down_bias);
    add(prefix + "input_layernorm.weight", layer.input_norm);
    add(prefix + "post_attention_layernorm.weight", layer.post_attention_norm);
  }
  add("model.norm.weight", final_norm_);
  add(kHead, head_);
  return result;
}

void Decoder::initialize(std::uint64_t seed) {
  const at::NoGradGuard no_gradients;
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  const double deviation = config_.initializer_range;
  for (auto& [name, tensor] : parameters()) {
    if (is_norm(name)) {
      tensor.fill_(1);
    } else if (ends_with(name, ".bias")) {
      tensor.zero_();
    } else {
      tensor.copy_(at::empty(tensor.sizes(), at::kFloat).normal_(0, deviation, generator));
    }
  }
  if (config_.padding_token) embedding_.select(0, *config_.padding_token).zero_();
}

void Decoder::load(const WeightFolder& weights) {
  const at::NoGradGuard no_gradients;
  std::vector<std::string> missing, misshapen, unexpected;
  std::set<std::string> known;
  const auto check_shape = [&](const std::string& name, at::IntArrayRef expected) {
    const std::vector<std::int64_t> stored = weights.shape(name);
    if (at::IntArrayRef(stored) != expected) {
      misshapen.push_back(name + " is " + shape_text(stored) + ", must be " + shape_text(expected));
    }
  };
  for (const auto& [parameter, tensor] : parameters()) {
    const std::string name = stored_name(weights, config_.tied_embeddings, parameter);
    known.insert(name);
    if (!weights.contains(name)) {
      missing.push_back(name);
    } else {
      check_shape(name, tensor.sizes());
    }
  }
  for (const std::string& name : weights.names()) {
    if (known.contains(name) || is_derived(name)) continue;
    if (config_.tied_embeddings && name == kHead) {
      check_shape(name, embedding_.sizes());
    } else {
      unexpected.push_back(name);
    }
  }
  std::string wrong;
  const auto report = [&](const char* what, const std::vector<std::string>& names) {
    if (!names.empty()) wrong += (wrong.empty() ? "" : "; ") + (what + shortened_list(names));
  };
  report("missing: ", missing);
  report("unexpected: ", unexpected);
  report("misshapen: ", misshapen);
  if (!wrong.empty()) throw Error(ExitCode::bad_data, "the weights do not fit config.json: " + wrong);
  if (config_.tied_embeddings) require_equal_head(weights);
  for (auto& [parameter, tensor] : parameters()) {
    const std::string name = stored_name(weights, config_.tied_embeddings, parameter);
    const at::Tensor stored = weights.read(name);
    if (!stored.is_floating_point()) {
      throw Error(ExitCode::bad_data, weights.file_of(name) + ": '" + name + "' does not hold floating-point numbers");
    }
    tensor.copy_(stored);
  }
}

Decoder load_decoder(const std::filesystem::path& folder, at::ScalarType dtype, at::Device device) {
  const WeightFolder weights(folder);
  Decoder decoder(read_model_config(folder), dtype, device);
  with_context(folder.string(), [&] { decoder.load(weights); });
  return decoder;
}

}  // namespace rim
