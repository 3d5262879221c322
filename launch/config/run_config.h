// A checked training configuration, typed.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/support/json.h"
#include "data/support/options.h"

namespace rim {

struct ModelSettings {
  std::filesystem::path folder;  // Hugging Face folder; empty: random weights of `config`
  std::filesystem::path config;  // config.json or its folder; empty where `folder` is given
  std::uint64_t seed = 1;        // of the random weights
  std::string dtype = "auto";
};

struct DataFileSettings {
  std::filesystem::path path;
  std::string format;
  double weight = 1.0;
  std::optional<std::int64_t> limit;
};

struct DataSettings {
  std::vector<DataFileSettings> train;
  std::int64_t max_length = 0;
  std::string thinking;
  std::string chat_template;
};

struct PromptSetSettings {
  std::filesystem::path path;
  std::string field;
  std::string format;
  std::optional<std::int64_t> limit;
  std::string where;
};

struct MonitorSettings {
  std::string kind;
  Json options;  // all options of the kind, defaults filled in
};

struct OptimizationSettings {
  std::optional<std::int64_t> max_steps;  // this or num_train_epochs
  std::optional<double> num_train_epochs;
  std::int64_t per_device_train_batch_size = 0;
  std::int64_t gradient_accumulation_steps = 0;
  double learning_rate = 0;
  std::string lr_scheduler_type;
  double warmup_ratio = 0;
  std::int64_t warmup_steps = 0;
  double weight_decay = 0;
  double adam_beta1 = 0;
  double adam_beta2 = 0;
  double adam_epsilon = 0;
  double max_grad_norm = 0;
  std::vector<std::string> trainable;
};

struct RunConfig {
  ModelSettings model;
  std::filesystem::path tokenizer;  // a folder or a tokenizer.json
  DataSettings data;
  OptimizationSettings optimization;
  std::filesystem::path output_dir;
  std::int64_t save_steps = 0;
  std::optional<std::int64_t> save_total_limit;
  std::int64_t logging_steps = 1;
  std::uint64_t seed = 1;
  std::string resume_from_checkpoint;  // "": fresh run
  bool overwrite_output_dir = false;
  std::string device;
  std::chrono::seconds ddp_timeout{0};
  std::map<std::string, PromptSetSettings> prompt_sets;
  std::vector<MonitorSettings> monitors;
  Json resolved;     // every key, defaults filled in
  std::string text;  // the same as YAML that loads again identically
};

// Throws Error(no_input) where the file cannot be read, Error(config) with every problem it has, one per line.
RunConfig load_run_config(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                          const std::vector<OptionVariant>& monitors);
// The same for text that is in memory already; `source` names it in messages.
RunConfig parse_run_config(std::string_view text, const std::string& source, const std::vector<std::string>& overrides,
                           const std::vector<OptionVariant>& monitors);

}  // namespace rim
