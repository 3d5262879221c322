// A random two-layer Qwen3 of some thousand parameters.
#pragma once

#include <ATen/ATen.h>

#include "trainer/model/decoder.h"

namespace rim::testing {

inline ModelConfig tiny_config() {
  ModelConfig config;
  config.model_type = "qwen3";
  config.vocabulary_size = 61;
  config.hidden_size = 16;
  config.intermediate_size = 24;
  config.layers = 2;
  config.attention_heads = 4;
  config.key_value_heads = 2;
  config.head_size = 8;
  config.max_position_embeddings = 64;
  config.sliding_window.resize(2);
  config.query_key_norm = true;
  config.tied_embeddings = true;
  config.initializer_range = 0.1;
  config.source = {{"architectures", {"Qwen3ForCausalLM"}},
                   {"model_type", "qwen3"},
                   {"vocab_size", 61},
                   {"hidden_size", 16},
                   {"intermediate_size", 24},
                   {"num_hidden_layers", 2},
                   {"num_attention_heads", 4},
                   {"num_key_value_heads", 2},
                   {"head_dim", 8},
                   {"max_position_embeddings", 64},
                   {"rms_norm_eps", 1e-6},
                   {"rope_theta", 10000.0},
                   {"tie_word_embeddings", true},
                   {"attention_bias", false},
                   {"hidden_act", "silu"}};
  return config;
}

inline Decoder tiny_decoder(at::ScalarType dtype = at::kFloat, std::uint64_t seed = 1) {
  Decoder decoder(tiny_config(), dtype, at::kCPU);
  decoder.initialize(seed);
  return decoder;
}

}  // namespace rim::testing
