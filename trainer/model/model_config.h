// config.json of a Hugging Face folder, reduced to what changes the computation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/support/json.h"

namespace rim {

// Llama 3.1's frequency scaling (transformers' rope_type "llama3").
struct LlamaRopeScaling {
  double factor = 8.0;
  double low_frequency_factor = 1.0;
  double high_frequency_factor = 4.0;
  std::int64_t original_max_position_embeddings = 8192;
};

// One decoder serves all families; these switches are all that tells them apart.
struct ModelConfig {
  std::string model_type;  // llama | mistral | qwen2 | qwen3
  std::int64_t vocabulary_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t layers = 0;
  std::int64_t attention_heads = 0;
  std::int64_t key_value_heads = 0;
  std::int64_t head_size = 0;
  std::int64_t max_position_embeddings = 0;
  double rms_norm_epsilon = 1e-6;
  double rope_theta = 10000.0;
  std::optional<LlamaRopeScaling> rope_scaling;
  std::vector<std::optional<std::int64_t>> sliding_window;  // per layer; absent: full attention
  bool query_key_value_bias = false;
  bool attention_output_bias = false;
  bool mlp_bias = false;
  bool query_key_norm = false;
  bool tied_embeddings = false;
  double initializer_range = 0.02;
  std::string stored_dtype;                   // torch_dtype / dtype as written; may be empty
  std::optional<std::int64_t> padding_token;  // pad_token_id: its row of the embedding gets no gradient from inputs, as
                                              // torch.nn.Embedding(padding_idx=...) has it
  std::vector<std::int64_t> end_token_ids;    // eos_token_id, one or several (generation_config.json's where present)
  Json source;                                // the file as read; written back into checkpoints
};

// `path`: a config.json or its folder. Reads both transformers 4's (rope_theta, rope_scaling, torch_dtype) and 5's
// (rope_parameters, layer_types, dtype) spelling. Throws Error(no_input) or Error(bad_data); a family or a key that
// would change the computation and is not supported is refused by name and value.
ModelConfig read_model_config(const std::filesystem::path& path);

}  // namespace rim
