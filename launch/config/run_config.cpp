#include "launch/config/run_config.h"

#include "data/support/error.h"
#include "data/support/files.h"
#include "launch/config/consistency.h"
#include "launch/config/overrides.h"
#include "launch/config/problems.h"
#include "launch/config/schema.h"
#include "launch/config/validator.h"
#include "launch/config/yaml_reader.h"
#include "launch/config/yaml_writer.h"

namespace rim {
namespace {

// Validated values: the accesses below cannot fail for anything a user wrote.
std::string text_of(const Json& section, const char* key) {
  const Json& value = section.at(key);
  return value.is_null() ? "" : value.get<std::string>();
}

template <typename Value>
std::optional<Value> optional_of(const Json& section, const char* key) {
  const Json& value = section.at(key);
  return value.is_null() ? std::nullopt : std::optional<Value>(value.get<Value>());
}

// What a default depends on other keys for.
void fill_dependent_defaults(Json& values) {
  for (Json& set : values.at("prompt_sets")) {
    if (set.at("format") != "field") set["field"] = nullptr;
  }
  Json& model = values.at("model");
  if (model.at("config").is_null()) return;
  if (model.at("init").is_null()) model["init"] = "random";
  if (model.at("seed").is_null()) model["seed"] = values.at("seed");
}

ModelSettings model_settings(const Json& model) {
  ModelSettings settings;
  settings.folder = text_of(model, "path");
  settings.config = text_of(model, "config");
  settings.seed = optional_of<std::uint64_t>(model, "seed").value_or(1);
  settings.dtype = text_of(model, "dtype");
  return settings;
}

std::filesystem::path tokenizer_path(const Json& values, const ModelSettings& model) {
  const std::string given = text_of(values, "tokenizer");
  if (!given.empty()) return given;
  if (!model.folder.empty()) return model.folder;
  if (model.config.extension() != ".json") return model.config;
  return model.config.has_parent_path() ? model.config.parent_path() : ".";
}

DataSettings data_settings(const Json& data) {
  DataSettings settings;
  for (const Json& file : data.at("train")) {
    settings.train.push_back({text_of(file, "path"), text_of(file, "format"), file.at("weight").get<double>(),
                              optional_of<std::int64_t>(file, "limit")});
  }
  settings.max_length = data.at("max_length").get<std::int64_t>();
  settings.thinking = text_of(data, "thinking");
  settings.chat_template = text_of(data, "chat_template");
  return settings;
}

OptimizationSettings optimization_settings(const Json& values) {
  OptimizationSettings settings;
  settings.max_steps = optional_of<std::int64_t>(values, "max_steps");
  settings.num_train_epochs = optional_of<double>(values, "num_train_epochs");
  settings.per_device_train_batch_size = values.at("per_device_train_batch_size").get<std::int64_t>();
  settings.gradient_accumulation_steps = values.at("gradient_accumulation_steps").get<std::int64_t>();
  settings.learning_rate = values.at("learning_rate").get<double>();
  settings.lr_scheduler_type = text_of(values, "lr_scheduler_type");
  settings.warmup_ratio = values.at("warmup_ratio").get<double>();
  settings.warmup_steps = values.at("warmup_steps").get<std::int64_t>();
  settings.weight_decay = values.at("weight_decay").get<double>();
  settings.adam_beta1 = values.at("adam_beta1").get<double>();
  settings.adam_beta2 = values.at("adam_beta2").get<double>();
  settings.adam_epsilon = values.at("adam_epsilon").get<double>();
  settings.max_grad_norm = values.at("max_grad_norm").get<double>();
  settings.trainable = optional_of<std::vector<std::string>>(values, "trainable").value_or(std::vector<std::string>{});
  return settings;
}

std::map<std::string, PromptSetSettings> prompt_set_settings(const Json& sets) {
  std::map<std::string, PromptSetSettings> settings;
  for (const auto& [name, set] : sets.items()) {
    settings[name] = {text_of(set, "path"), text_of(set, "field"), text_of(set, "format"),
                      optional_of<std::int64_t>(set, "limit"), text_of(set, "where")};
  }
  return settings;
}

std::vector<MonitorSettings> monitor_settings(const Json& monitors) {
  std::vector<MonitorSettings> settings;
  for (const Json& entry : monitors) {
    Json options = entry;
    options.erase("kind");
    settings.push_back({text_of(entry, "kind"), std::move(options)});
  }
  return settings;
}

RunConfig typed(Json values) {
  RunConfig config;
  config.model = model_settings(values.at("model"));
  config.tokenizer = tokenizer_path(values, config.model);
  config.data = data_settings(values.at("data"));
  config.optimization = optimization_settings(values);
  config.output_dir = text_of(values, "output_dir");
  config.save_steps = values.at("save_steps").get<std::int64_t>();
  config.save_total_limit = optional_of<std::int64_t>(values, "save_total_limit");
  config.logging_steps = values.at("logging_steps").get<std::int64_t>();
  config.seed = values.at("seed").get<std::uint64_t>();
  config.resume_from_checkpoint = text_of(values, "resume_from_checkpoint");
  config.overwrite_output_dir = values.at("overwrite_output_dir").get<bool>();
  config.device = text_of(values, "device");
  config.ddp_timeout = std::chrono::seconds(values.at("ddp_timeout").get<std::int64_t>());
  config.prompt_sets = prompt_set_settings(values.at("prompt_sets"));
  config.monitors = monitor_settings(values.at("monitors"));
  config.resolved = std::move(values);
  return config;
}

}  // namespace

RunConfig parse_run_config(std::string_view text, const std::string& source, const std::vector<std::string>& overrides,
                           const std::vector<OptionVariant>& monitors) {
  Problems problems;
  ConfigNode root = read_yaml(text, source, problems);
  apply_overrides(root, overrides, problems);
  const std::vector<OptionSpec> schema = training_schema(monitors);
  Json values = validate(root, schema, problems);
  check_consistency(root, problems);
  problems.raise();

  fill_dependent_defaults(values);
  std::string resolved_text = write_yaml(values, schema);
  RunConfig config = typed(std::move(values));
  config.text = std::move(resolved_text);
  return config;
}

RunConfig load_run_config(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                          const std::vector<OptionVariant>& monitors) {
  return parse_run_config(read_text_file(path), path.string(), overrides, monitors);
}

}  // namespace rim
