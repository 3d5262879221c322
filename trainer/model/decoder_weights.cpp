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

template <typename Self, typename Visit>
void Decoder::for_each_weight(Self& self, const Visit& visit) {
  using Shape = std::vector<std::int64_t>;
  const ModelConfig& config = self.config_;
  const std::int64_t width = config.hidden_size;
  const std::int64_t queries = config.attention_heads * config.head_size;
  const std::int64_t pairs = config.key_value_heads * config.head_size;
  const std::int64_t neurons = config.intermediate_size;
  visit(kEmbedding, self.embedding_, Shape{config.vocabulary_size, width});
  for (std::size_t i = 0; i < self.layers_.size(); ++i) {
    auto& layer = self.layers_[i];
    const std::string prefix = "model.layers." + std::to_string(i) + ".";
    const auto norm = [&](const char* name, auto& weight, std::int64_t size) {
      visit(prefix + name + ".weight", weight, Shape{size});
    };
    const auto projection = [&](const char* name, auto& map, std::int64_t outer, std::int64_t inner, bool has_bias) {
      visit(prefix + name + ".weight", map.weight, Shape{outer, inner});
      if (has_bias) visit(prefix + name + ".bias", map.bias, Shape{outer});
    };
    projection("self_attn.q_proj", layer.query, queries, width, config.query_key_value_bias);
    projection("self_attn.k_proj", layer.key, pairs, width, config.query_key_value_bias);
    projection("self_attn.v_proj", layer.value, pairs, width, config.query_key_value_bias);
    projection("self_attn.o_proj", layer.output, width, queries, config.attention_output_bias);
    if (config.query_key_norm) {
      norm("self_attn.q_norm", layer.query_norm, config.head_size);
      norm("self_attn.k_norm", layer.key_norm, config.head_size);
    }
    projection("mlp.gate_proj", layer.gate, neurons, width, config.mlp_bias);
    projection("mlp.up_proj", layer.up, neurons, width, config.mlp_bias);
    projection("mlp.down_proj", layer.down, width, neurons, config.mlp_bias);
    norm("input_layernorm", layer.input_norm, width);
    norm("post_attention_layernorm", layer.post_attention_norm, width);
  }
  visit("model.norm.weight", self.final_norm_, Shape{width});
  if (!config.tied_embeddings) visit(kHead, self.head_, Shape{config.vocabulary_size, width});
}

Decoder::Decoder(ModelConfig config, at::ScalarType dtype, at::Device device)
    : config_(std::move(config)),
      dtype_(dtype),
      device_(device),
      layers_(static_cast<std::size_t>(config_.layers)),
      inverse_frequencies_(inverse_frequencies(config_).to(device_)) {
  for_each_weight(*this, [&](const std::string&, at::Tensor& tensor, const std::vector<std::int64_t>& shape) {
    tensor = at::empty(shape, at::TensorOptions(dtype_).device(device_));
  });
}

std::vector<NamedParameter> Decoder::parameters() const {
  std::vector<NamedParameter> result;
  for_each_weight(*this, [&](std::string name, const at::Tensor& tensor, const std::vector<std::int64_t>&) {
    result.push_back({std::move(name), tensor});
  });
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

void Decoder::require_fit(const WeightFolder& weights) const {
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
}

void Decoder::load(const WeightFolder& weights) {
  const at::NoGradGuard no_gradients;
  require_fit(weights);
  if (config_.tied_embeddings) require_equal_head(weights);
  for (auto& [parameter, tensor] : parameters()) {
    tensor.copy_(read_parameter(weights, config_, parameter));
  }
}

at::Tensor read_parameter(const WeightFolder& weights, const ModelConfig& config, const std::string& name) {
  const std::string place = stored_name(weights, config.tied_embeddings, name);
  at::Tensor stored = weights.read(place);
  if (stored.is_floating_point()) return stored;
  throw Error(ExitCode::bad_data, weights.file_of(place) + ": '" + place + "' does not hold floating-point numbers");
}

Decoder load_decoder(const std::filesystem::path& folder, at::ScalarType dtype, at::Device device) {
  const WeightFolder weights(folder);
  const ModelConfig config = read_model_config(folder);
  // On shapes alone first: a config.json that asks for more than the weights would be given all the memory.
  with_context(folder.string(), [&] { Decoder(config, dtype, at::kMeta).require_fit(weights); });
  Decoder decoder(config, dtype, device);
  with_context(folder.string(), [&] { decoder.load(weights); });
  return decoder;
}

}  // namespace rim
