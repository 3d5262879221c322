// Small tokenizer.json files for the tests, made on the spot.
#pragma once

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "data/support/files.h"
#include "data/support/json.h"
#include "data/tokenizer/byte_level.h"
#include "data/tokenizer/tokenizer.h"

namespace rim::testing {

// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    static std::atomic<int> count{0};
    path_ = std::filesystem::temp_directory_path() /
            ("rim_tokenizer_" + std::to_string(::getpid()) + "_" + std::to_string(count++));
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] std::filesystem::path write(const std::string& name, const std::string& content) const {
    write_file_atomically(path_ / name, content);
    return path_ / name;
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A ByteLevel BPE over all 256 bytes (token id = byte) and the merges h+e, l+l, he+ll, hell+o (ids 256 to 259), with
// the ChatML tokens and the think tags after them.
inline Json tiny_tokenizer() {
  Json vocabulary = Json::object();
  for (int byte = 0; byte < 256; ++byte) vocabulary[spelling_of_bytes(std::string(1, static_cast<char>(byte)))] = byte;
  const std::vector<std::string> merged = {"he", "ll", "hell", "hello"};
  for (std::size_t i = 0; i < merged.size(); ++i) vocabulary[merged[i]] = 256 + i;
  Json added = Json::array();
  for (const char* content : {"<|im_start|>", "<|im_end|>", "<think>", "</think>"}) {
    const bool special = content[1] == '|';
    added.push_back({{"id", 260 + added.size()}, {"content", content}, {"special", special}, {"normalized", false}});
  }
  return {{"added_tokens", added},
          {"normalizer", {{"type", "NFC"}}},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
          {"post_processor", nullptr},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", {"h e", "l l", "he ll", "hell o"}}}}};
}

inline Tokenizer load(const Json& description) {
  const TemporaryFolder folder;
  return Tokenizer::load(folder.write("tokenizer.json", description.dump()));
}

}  // namespace rim::testing
