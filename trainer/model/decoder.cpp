#include "trainer/model/decoder.h"

#include <ATen/ATen.h>

#include "data/support/error.h"
#include "trainer/model/attention.h"
#include "trainer/model/cross_entropy.h"
#include "trainer/model/heads.h"
#include "trainer/model/rms_norm.h"
#include "trainer/model/rope.h"
#include "trainer/model/swiglu.h"

namespace rim {
struct Decoder::Pass {
  RotaryTables rotation;
  TapListener* taps = nullptr;
  KeyValueCache* cache = nullptr;
  at::Tensor positions;  // int64 [batch, time]; undefined without a cache
};

at::Tensor Decoder::embed(const at::Tensor& tokens) const {
  if (tokens.is_cpu() && tokens.numel() > 0) {
    const auto [smallest, largest] = at::aminmax(tokens);
    if (smallest.item<std::int64_t>() < 0 || largest.item<std::int64_t>() >= config_.vocabulary_size) {
      throw Error(ExitCode::bad_data, "tokens from " + std::to_string(smallest.item<std::int64_t>()) + " to " +
                                          std::to_string(largest.item<std::int64_t>()) +
                                          " do not fit the model's vocabulary of " +
                                          std::to_string(config_.vocabulary_size));
    }
  }
  return at::embedding(embedding_, tokens, config_.padding_token.value_or(-1));
}

at::Tensor Decoder::attention_block(const at::Tensor& x, std::int64_t layer, const Pass& pass) const {
  const Layer& weights = layers_[static_cast<std::size_t>(layer)];
  const auto heads = [&](const Projection& projection) { return projection(x).unflatten(-1, {-1, config_.head_size}); };
  const auto prepared = [&](const Projection& projection, const at::Tensor& norm) {
    return prepare_heads(heads(projection), norm, config_.rms_norm_epsilon, pass.rotation);
  };
  AttentionInputs inputs{prepared(weights.query, weights.query_norm), prepared(weights.key, weights.key_norm),
                         heads(weights.value).transpose(1, 2), at::Tensor(),
                         config_.sliding_window[static_cast<std::size_t>(layer)]};
  if (pass.cache != nullptr) {
    KeyValueCache& cache = *pass.cache;
    cache.store(layer, pass.positions, inputs.key, inputs.value);
    if (cache.longest > 0) {
      const std::int64_t filled = cache.longest + x.size(1);
      inputs.key = cache.keys[static_cast<std::size_t>(layer)].narrow(2, 0, filled);
      inputs.value = cache.values[static_cast<std::size_t>(layer)].narrow(2, 0, filled);
      inputs.positions = pass.positions;
    }
  }
  PatternEditor edit_pattern;
  if (pass.taps != nullptr && pass.taps->wants(TapSite::attention_pattern, layer)) {
    edit_pattern = [&](at::Tensor& pattern) { offer_to_tap(pass.taps, TapSite::attention_pattern, layer, pattern); };
  }
  return weights.output(attend(inputs, edit_pattern));
}

at::Tensor Decoder::mlp_block(const at::Tensor& x, std::int64_t layer, const Pass& pass) const {
  const Layer& weights = layers_[static_cast<std::size_t>(layer)];
  at::Tensor neurons = swiglu(weights.gate(x), weights.up(x));
  offer_to_tap(pass.taps, TapSite::neurons, layer, neurons);
  return weights.down(neurons);
}

at::Tensor Decoder::hidden_states(const at::Tensor& tokens, TapListener* taps, KeyValueCache* cache,
                                  const at::Tensor& row_lengths) const {
  Pass pass;
  pass.taps = taps;
  pass.cache = cache;
  const std::int64_t time = tokens.size(1);
  if (cache != nullptr) pass.positions = cache->next_positions(time);
  const at::Tensor positions = cache != nullptr ? pass.positions : at::arange(time, tokens.options()).unsqueeze(0);
  pass.rotation = rotary_tables(inverse_frequencies_, positions, dtype_);
  at::Tensor x = embed(tokens);
  for (std::int64_t i = 0; i < config_.layers; ++i) {
    const Layer& layer = layers_[static_cast<std::size_t>(i)];
    offer_to_tap(taps, TapSite::residual, i, x);
    x = x + attention_block(rms_norm(x, layer.input_norm, config_.rms_norm_epsilon), i, pass);
    x = x + mlp_block(rms_norm(x, layer.post_attention_norm, config_.rms_norm_epsilon), i, pass);
  }
  if (cache != nullptr) cache->grow(time, row_lengths);
  return rms_norm(x, final_norm_, config_.rms_norm_epsilon);
}

at::Tensor Decoder::logits(const at::Tensor& hidden) const {
  return linear_layer(hidden, config_.tied_embeddings ? embedding_ : head_);
}

at::Tensor Decoder::loss_sum(const at::Tensor& tokens, const at::Tensor& targets, TapListener* taps) const {
  const at::Tensor hidden = hidden_states(tokens, taps);
  return cross_entropy_sum(hidden.flatten(0, 1), config_.tied_embeddings ? embedding_ : head_, targets.flatten());
}

}  // namespace rim
