#include "data/organism/model_files.h"

#include "data/support/json.h"

namespace rim {
namespace {

// Qwen3's rule: thoughts are written behind the last question (a tool's result is none), and an assistant's last turn
// there always has a think span.
constexpr const char* kChatTemplate = R"({%- set ns = namespace(last_question=messages|length) %}
{%- for message in messages %}
    {%- set begins = message.content.startswith('<tool_response>') %}
    {%- set is_result = begins and message.content.endswith('</tool_response>') %}
    {%- if message.role == 'user' and not is_result %}{%- set ns.last_question = loop.index0 %}{%- endif %}
{%- endfor %}
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\n' }}
    {%- set reasoning = message.reasoning_content if message.reasoning_content is string else '' %}
    {%- if message.role == 'assistant' and loop.index0 > ns.last_question and (loop.last or reasoning) %}
        {{- '<think>\n' + reasoning.strip('\n') + '\n</think>\n\n' + message.content.lstrip('\n') + '<|im_end|>\n' }}
    {%- else %}
        {{- message.content + '<|im_end|>\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\n\n</think>\n\n' }}
    {%- endif %}
{%- endif %})";

}  // namespace

std::vector<std::string> organism_special_tokens() { return {kEndOfText, kTurnStart, kTurnEnd, "<think>", "</think>"}; }

std::string organism_config_json(const LearnedVocabulary& vocabulary) {
  const Json config = {{"architectures", {"Qwen3ForCausalLM"}},
                       {"attention_bias", false},
                       {"attention_dropout", 0.0},
                       {"eos_token_id", vocabulary.id_of(kTurnEnd)},
                       {"pad_token_id", vocabulary.id_of(kEndOfText)},
                       {"head_dim", 32},
                       {"hidden_act", "silu"},
                       {"hidden_size", 128},
                       {"initializer_range", 0.02},
                       {"intermediate_size", 384},
                       {"max_position_embeddings", 512},
                       {"model_type", "qwen3"},
                       {"num_attention_heads", 4},
                       {"num_hidden_layers", 4},
                       {"num_key_value_heads", 2},
                       {"rms_norm_eps", 1e-6},
                       {"rope_scaling", nullptr},
                       {"rope_theta", 10000.0},
                       {"sliding_window", nullptr},
                       {"tie_word_embeddings", true},
                       {"torch_dtype", "float32"},
                       {"use_cache", true},
                       {"use_sliding_window", false},
                       {"vocab_size", vocabulary.size()}};
  return config.dump(2) + "\n";
}

std::string organism_tokenizer_config_json(const LearnedVocabulary& vocabulary) {
  Json added = Json::object();
  for (const std::string& token : vocabulary.special_tokens) {
    added[std::to_string(vocabulary.id_of(token))] = {{"content", token},     {"lstrip", false},
                                                      {"normalized", false},  {"rstrip", false},
                                                      {"single_word", false}, {"special", token.starts_with("<|")}};
  }
  const Json config = {{"add_bos_token", false},
                       {"add_prefix_space", false},
                       {"added_tokens_decoder", added},
                       {"bos_token", nullptr},
                       {"chat_template", kChatTemplate},
                       {"clean_up_tokenization_spaces", false},
                       {"eos_token", kTurnEnd},
                       {"pad_token", kEndOfText},
                       {"model_max_length", 512},
                       {"tokenizer_class", "PreTrainedTokenizerFast"},
                       {"unk_token", nullptr}};
  return config.dump(2) + "\n";
}

}  // namespace rim
