// A tokenizer for tests: one token for each byte (its id is the byte's place in the alphabet below), plus ChatML's
// special tokens and a think span, so that expectations can be written as text.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "data/support/json.h"
#include "data/tokenizer/byte_level.h"
#include "data/tokenizer/chat_template.h"
#include "data/tokenizer/tokenizer.h"

namespace rim {

inline std::filesystem::path write_byte_tokenizer(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  Json vocabulary = Json::object();
  for (int byte = 0; byte < 256; ++byte) vocabulary[spelling_of_bytes(std::string(1, static_cast<char>(byte)))] = byte;
  vocabulary["ab"] = 256;  // a token of two bytes, which may straddle a border
  Json added = Json::array();
  int id = 257;
  for (const char* token : {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"}) {
    added.push_back({{"id", id++},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", token[1] == '|'}});
  }
  const Json step = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", true}};
  Json merges = Json::array();
  merges.push_back("a b");
  const Json file = {{"version", "1.0"},
                     {"added_tokens", added},
                     {"normalizer", nullptr},
                     {"pre_tokenizer", step},
                     {"post_processor", nullptr},
                     {"decoder", step},
                     {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", merges}}}};
  std::ofstream(folder / "tokenizer.json") << file.dump();
  return folder;
}

struct ByteTokenizer {
  explicit ByteTokenizer(const std::filesystem::path& folder)
      : ByteTokenizer(folder, Tokenizer::load(write_byte_tokenizer(folder))) {}
  ByteTokenizer(const std::filesystem::path& folder, Tokenizer loaded)
      : tokenizer(std::move(loaded)), chat(ChatTemplate::detect(folder, tokenizer)) {}
  Tokenizer tokenizer;
  ChatTemplate chat;
};

}  // namespace rim
