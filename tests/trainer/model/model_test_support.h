// Small random models and temporary folders for the tests of trainer/model.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "data/support/error.h"
#include "trainer/model/decoder.h"

namespace rim {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "rimscope-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

// The error's message, or "" where `action` throws none; fails the test on another exit code.
template <typename Action>
std::string error_of(Action&& action, ExitCode code = ExitCode::bad_data) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
    return error.what();
  }
  return "";
}

inline Json small_config(const std::string& family = "llama") {
  Json config = {{"model_type", family},     {"vocab_size", 61},       {"hidden_size", 24},
                 {"intermediate_size", 40},  {"num_hidden_layers", 2}, {"num_attention_heads", 4},
                 {"num_key_value_heads", 2}, {"head_dim", 6},          {"max_position_embeddings", 64},
                 {"initializer_range", 0.3}};
  if (family == "mistral") config["sliding_window"] = nullptr;
  return config;
}

inline ModelConfig read_config(const Json& config) {
  const TemporaryFolder folder;
  return read_model_config(folder.write("config.json", config.dump()));
}

inline Decoder random_decoder(const Json& config, at::ScalarType dtype = at::kFloat) {
  Decoder model(read_config(config), dtype, at::kCPU);
  model.initialize(5);
  return model;
}

inline at::Tensor random_tokens(const Decoder& model, std::int64_t rows, std::int64_t time) {
  return at::randint(model.config().vocabulary_size, {rows, time}, at::kLong);
}

// Sets the size of libtorch's thread pool, which CTest starts with one thread; restores it.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : before_(at::get_num_threads()) { at::set_num_threads(threads); }
  ~ThreadCount() { at::set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

inline auto thread_counts() { return testing::Values(1, 2, 4); }

inline double relative_difference(const at::Tensor& ours, const at::Tensor& theirs) {
  return ((ours - theirs).abs().max() / theirs.abs().max()).to(at::kDouble).item<double>();
}

}  // namespace rim
