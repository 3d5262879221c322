#include "trainer/model/config_keys.h"

#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "data/support/error.h"

namespace rim {
namespace {

// Read by read_model_config for every family.
const std::set<std::string_view>& keys_read() {
  static const std::set<std::string_view> keys = {
      "model_type",
      "vocab_size",
      "hidden_size",
      "intermediate_size",
      "num_hidden_layers",
      "num_attention_heads",
      "num_key_value_heads",
      "head_dim",
      "rms_norm_eps",
      "max_position_embeddings",
      "rope_theta",
      "rope_scaling",
      "rope_parameters",
      "tie_word_embeddings",
      "initializer_range",
      "torch_dtype",
      "dtype",
      "eos_token_id",
      "pad_token_id",
  };
  return keys;
}

// Read for the named families only; the others' transformers classes do not know them.
const std::set<std::pair<std::string_view, std::string_view>>& family_keys() {
  static const std::set<std::pair<std::string_view, std::string_view>> keys = {
      {"llama", "attention_bias"},    {"llama", "mlp_bias"},           {"mistral", "sliding_window"},
      {"qwen2", "sliding_window"},    {"qwen2", "use_sliding_window"}, {"qwen2", "max_window_layers"},
      {"qwen2", "layer_types"},       {"qwen3", "sliding_window"},     {"qwen3", "use_sliding_window"},
      {"qwen3", "max_window_layers"}, {"qwen3", "layer_types"},        {"qwen3", "attention_bias"},
  };
  return keys;
}

// Change nothing in a forward pass, whatever their value: bookkeeping, special tokens, generation and task defaults
// that old versions of transformers wrote into every config.json, and keys that version 5 no longer reads.
const std::set<std::string_view>& harmless_keys() {
  static const std::set<std::string_view> keys = {
      "_name_or_path",
      "_attn_implementation",
      "_attn_implementation_autoset",
      "_commit_hash",
      "architectures",
      "bad_words_ids",
      "begin_suppress_tokens",
      "bos_token_id",
      "cls_token_id",
      "decoder_start_token_id",
      "diversity_penalty",
      "do_sample",
      "early_stopping",
      "encoder_no_repeat_ngram_size",
      "exponential_decay_length_penalty",
      "finetuning_task",
      "forced_bos_token_id",
      "forced_eos_token_id",
      "id2label",
      "is_decoder",
      "is_llama_config",
      "label2id",
      "length_penalty",
      "mask_token_id",
      "max_length",
      "max_new_tokens",
      "max_sequence_length",
      "min_length",
      "model_max_length",
      "no_repeat_ngram_size",
      "num_beam_groups",
      "num_beams",
      "num_return_sequences",
      "output_attentions",
      "output_hidden_states",
      "output_scores",
      "prefix",
      "pretraining_tp",
      "problem_type",
      "remove_invalid_values",
      "repetition_penalty",
      "return_dict",
      "return_dict_in_generate",
      "sep_token_id",
      "suppress_tokens",
      "task_specific_params",
      "temperature",
      "tf_legacy_loss",
      "tie_encoder_decoder",
      "tokenizer_class",
      "top_k",
      "top_p",
      "torchscript",
      "transformers.js_config",
      "transformers_version",
      "typical_p",
      "unk_token_id",
      "unsloth_fixed",
      "unsloth_version",
      "use_bfloat16",
      "use_cache",
  };
  return keys;
}

// Known, and supported at these values only (null and an absent key always pass).
const std::map<std::string_view, std::vector<Json>>& supported_values() {
  static const std::map<std::string_view, std::vector<Json>> values = {
      {"hidden_act", {"silu", "swish"}},
      {"attention_dropout", {0}},
      {"hidden_dropout", {0}},
      {"resid_pdrop", {0}},
      {"attn_pdrop", {0}},
      {"embd_pdrop", {0}},
      {"attention_bias", {false}},
      {"mlp_bias", {false}},
      {"sliding_window", {false}},
      {"use_sliding_window", {false}},
      {"partial_rotary_factor", {1}},
      {"rope_interleaved", {false}},
      {"chunk_size_feed_forward", {0}},
      {"add_cross_attention", {false}},
      {"cross_attention_hidden_size", {}},
      {"is_encoder_decoder", {false}},
      {"pruned_heads", {Json::object(), Json::array()}},
      {"num_experts", {0, 1}},
      {"num_local_experts", {0, 1}},
      {"quantization_config", {}},
      {"attn_logit_softcapping", {0}},
      {"final_logit_softcapping", {0}},
      {"logit_scale", {1}},
      {"embedding_multiplier", {1}},
      {"residual_multiplier", {1}},
      {"attention_multiplier", {}},
      {"logits_scaling", {1}},
      {"no_rope_layers", {Json::array()}},
      {"use_mrope", {false}},
      {"auto_map", {}},
  };
  return values;
}

bool is_supported_value(std::string_view key, const Json& value) {
  if (value.is_null()) return true;
  for (const Json& supported : supported_values().at(key)) {
    if (value == supported) return true;
  }
  return false;
}

std::string shortened(const Json& value) {
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

}  // namespace

void refuse_unsupported_keys(const Json& config, const std::string& model_type, const std::string& origin) {
  std::string refused;
  const auto refuse = [&](const std::string& what) { refused += (refused.empty() ? "" : "; ") + what; };
  for (const auto& [key, value] : config.items()) {
    if (keys_read().contains(key) || family_keys().contains({model_type, key}) || harmless_keys().contains(key))
      continue;
    if (!supported_values().contains(key)) {
      refuse("'" + key + "' (" + shortened(value) + ") is not a key known for " + model_type +
             " models; remove it if it does not change the computation");
    } else if (!is_supported_value(key, value)) {
      refuse("'" + key + "': " + shortened(value) + " is not supported for " + model_type + " models");
    }
  }
  if (!refused.empty()) throw Error(ExitCode::bad_data, origin + ": " + refused);
}

}  // namespace rim
