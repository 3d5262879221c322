// A random model of a few thousand parameters with a byte tokenizer and ChatML, for tests that run real forward passes.
#pragma once

#include <filesystem>
#include <string>

#include "data/support/files.h"
#include "data/support/json.h"
#include "data/tokenizer/chat_template.h"
#include "data/tokenizer/tokenizer.h"
#include "trainer/model/decoder.h"

namespace rim {

// GPT-2's spelling of a byte: itself where it is printable, else a code point from U+0100 on.
inline std::string byte_spelling(int byte) {
  int shifted = 0;
  for (int other = 0; other < 256; ++other) {
    const bool printable = (other >= 33 && other <= 126) || (other >= 161 && other != 173);
    if (other == byte) {
      const int code = printable ? byte : 256 + shifted;
      if (code < 0x80) return std::string(1, static_cast<char>(code));
      return {static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3F))};
    }
    if (!printable) ++shifted;
  }
  return "";
}

// One token a byte and the word "Sorry"; ChatML's and the thinking tags as added tokens.
inline Json byte_tokenizer_json() {
  Json vocabulary = Json::object();
  for (int byte = 0; byte < 256; ++byte) vocabulary[byte_spelling(byte)] = byte;
  const Json merges = Json::array({"S o", "r r", "rr y", "So rry"});
  int id = 256;
  for (const char* merged : {"So", "rr", "rry", "Sorry"}) vocabulary[merged] = id++;
  Json added = Json::array();
  for (const char* content : {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"}) {
    added.push_back({{"id", id++},
                     {"content", content},
                     {"special", true},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false}});
  }
  const Json byte_level{
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", true}};
  return {{"version", "1.0"},
          {"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer", byte_level},
          {"post_processor", nullptr},
          {"decoder", byte_level},
          {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", merges}}}};
}

inline ModelConfig tiny_config() {
  ModelConfig config;
  config.model_type = "qwen3";
  config.vocabulary_size = 272;
  config.hidden_size = 16;
  config.intermediate_size = 24;
  config.layers = 3;
  config.attention_heads = 4;
  config.key_value_heads = 2;
  config.head_size = 4;
  config.max_position_embeddings = 512;
  config.query_key_norm = true;
  config.tied_embeddings = true;
  config.initializer_range = 0.3;  // wide, so that activations differ visibly
  config.sliding_window.resize(3);
  return config;
}

inline Tokenizer load_byte_tokenizer(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  write_file_atomically(folder / "tokenizer.json", byte_tokenizer_json().dump());
  return Tokenizer::load(folder);
}

// `name`: of a folder under the system's temporary one that holds the tokenizer; unique to the process.
struct TinyModel {
  explicit TinyModel(const std::string& name, at::ScalarType dtype = at::kFloat)
      : folder(std::filesystem::temp_directory_path() / name),
        tokenizer(load_byte_tokenizer(folder)),
        chat_template(ChatTemplate::detect(folder, tokenizer, "chatml")),
        decoder(tiny_config(), dtype, at::kCPU) {
    decoder.initialize(3);
  }
  ~TinyModel() { std::filesystem::remove_all(folder); }
  TinyModel(const TinyModel&) = delete;
  TinyModel& operator=(const TinyModel&) = delete;

  std::filesystem::path folder;
  Tokenizer tokenizer;
  ChatTemplate chat_template;
  Decoder decoder;
};

}  // namespace rim
