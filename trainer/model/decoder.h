// The decoder-only transformer of Llama, Mistral, Qwen2.5 and Qwen3, configured by ModelConfig alone.
// Parameter names are Hugging Face's ("model.layers.0.self_attn.q_proj.weight").
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/model/key_value_cache.h"
#include "trainer/model/linear.h"
#include "trainer/model/model_config.h"
#include "trainer/model/named_parameter.h"
#include "trainer/model/safetensors.h"
#include "trainer/model/taps.h"

namespace rim {

// Not thread-safe: one forward pass at a time. No member is collective.
class Decoder {
 public:
  // Allocates without initialising. dtype: at::kFloat or at::kBFloat16.
  Decoder(ModelConfig config, at::ScalarType dtype, at::Device device);

  // transformers' initialisation (normal, std = initializer_range; zero biases; norms one), the same bits for the same
  // seed on every rank and dtype.
  void initialize(std::uint64_t seed);
  // Throws Error(bad_data) listing missing, unexpected and misshapen tensors by name. Reads no values: a model on the
  // meta device, which has shapes alone, can ask.
  void require_fit(const WeightFolder& weights) const;
  // Copies all weights in, converting the dtype. Throws as require_fit. Tied embeddings may be stored as either matrix,
  // or as both where they are equal (else Error(bad_data)).
  void load(const WeightFolder& weights);
  // Names and tensors to save, in the model's order (a tied head is left out, as transformers does).
  [[nodiscard]] std::vector<NamedParameter> parameters() const;

  // tokens: int64 [batch, time]. Rows are right-padded; attention is causal, so padding never reaches real positions.
  // Returns the final-norm hidden states [batch, time, hidden]. Throws Error(bad_data) for a token outside the
  // vocabulary (CPU only: elsewhere it would need a sync).
  // With a cache, tokens continue each row at cache.lengths[row], and the cache grows by `row_lengths` (int64 [batch];
  // undefined: the whole width).
  at::Tensor hidden_states(const at::Tensor& tokens, TapListener* taps = nullptr, KeyValueCache* cache = nullptr,
                           const at::Tensor& row_lengths = {}) const;
  // [..., hidden] -> [..., vocabulary].
  [[nodiscard]] at::Tensor logits(const at::Tensor& hidden) const;
  // Sum over positions with target != ignore of -log p(target); fp32 scalar. Computed in chunks of positions so that
  // the whole [positions, vocabulary] matrix is never held.
  at::Tensor loss_sum(const at::Tensor& tokens, const at::Tensor& targets, TapListener* taps = nullptr) const;

  [[nodiscard]] const ModelConfig& config() const { return config_; }
  [[nodiscard]] at::Device device() const { return device_; }
  [[nodiscard]] at::ScalarType dtype() const { return dtype_; }

 private:
  struct Pass;  // what the layers of one forward pass share
  struct Layer {
    at::Tensor input_norm, post_attention_norm, query_norm, key_norm;
    Projection query, key, value, output, gate, up, down;
  };
  // Calls visit(name, tensor, shape) for each weight that the configuration has, in the model's order: the one place
  // that spells them. `Self` is Decoder or const Decoder.
  template <typename Self, typename Visit>
  static void for_each_weight(Self& self, const Visit& visit);
  [[nodiscard]] at::Tensor embed(const at::Tensor& tokens) const;
  [[nodiscard]] at::Tensor attention_block(const at::Tensor& x, std::int64_t layer, const Pass& pass) const;
  [[nodiscard]] at::Tensor mlp_block(const at::Tensor& x, std::int64_t layer, const Pass& pass) const;

  ModelConfig config_;
  at::ScalarType dtype_;
  at::Device device_;
  at::Tensor embedding_, final_norm_, head_;
  std::vector<Layer> layers_;
  at::Tensor inverse_frequencies_;  // fp32 [head size / 2]
};

// One of a model's parameters as the folder stores it, in its own dtype, on the CPU. Throws Error(bad_data) where it
// does not hold floating-point numbers. The folder holds it (Decoder::load has checked that).
at::Tensor read_parameter(const WeightFolder& weights, const ModelConfig& config, const std::string& name);

// Reads config and weights of a Hugging Face folder. Throws as the parts do, with the folder's name.
Decoder load_decoder(const std::filesystem::path& folder, at::ScalarType dtype, at::Device device);

}  // namespace rim
