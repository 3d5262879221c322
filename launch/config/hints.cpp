#include "launch/config/hints.h"

#include <array>
#include <string_view>
#include <utility>

#include "launch/config/spelling.h"

namespace rim {
namespace {

// Other trainers' names, which no edit distance would find.
constexpr std::array<std::pair<std::string_view, std::string_view>, 19> kForeignNames{{
    {"lr", "did you mean 'learning_rate'?"},
    {"epochs", "did you mean 'num_train_epochs'?"},
    {"num_epochs", "did you mean 'num_train_epochs'?"},
    {"batch_size", "did you mean 'per_device_train_batch_size'?"},
    {"micro_batch_size", "did you mean 'per_device_train_batch_size'?"},
    {"lr_scheduler", "did you mean 'lr_scheduler_type'?"},
    {"max_seq_length", "did you mean 'data.max_length'?"},
    {"sequence_len", "did you mean 'data.max_length'?"},
    {"cutoff_len", "did you mean 'data.max_length'?"},
    {"base_model", "did you mean 'model.path'?"},
    {"model_name_or_path", "did you mean 'model.path'?"},
    {"bf16", "write 'model: {dtype: bfloat16}'"},
    {"fp16", "float16 is not supported; 'model: {dtype: bfloat16}' is"},
    {"datasets", "did you mean 'data.train'?"},
    {"unfrozen_parameters", "did you mean 'trainable'?"},
    {"lora", "this version trains the model's own weights ('trainable' chooses which) and has no adapters"},
    {"packing", "this version pads the rows of a batch and does not pack"},
    {"mitigations", "this version observes and does not mitigate"},
    {"eval_steps", "monitors observe at every checkpoint: 'save_steps'"},
}};

// Dotted path of a key called `name` anywhere in the schema (lists are passed through by their first entry).
std::string path_of_name(const std::string& name, const std::vector<OptionSpec>& specs, const std::string& prefix) {
  for (const OptionSpec& spec : specs) {
    const std::string path = prefix.empty() ? spec.name : prefix + "." + spec.name;
    if (spec.name == name) return path;
    const bool is_list = spec.type == OptionType::section_list;
    if (spec.type != OptionType::section && !is_list) continue;
    const std::string found = path_of_name(name, spec.members, is_list ? path + ".0" : path);
    if (!found.empty()) return found;
  }
  return "";
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::string hint_for_unknown(const std::string& name, const std::string& section_path,
                             const std::vector<OptionSpec>& section, const std::vector<OptionSpec>& root) {
  for (const auto& [foreign, advice] : kForeignNames) {
    if (name == foreign) return "; " + std::string(advice);
  }
  std::vector<std::string> names;
  for (const OptionSpec& spec : section) names.push_back(spec.name);
  if (const auto near = nearest_name(name, names)) {
    return "; did you mean '" + (section_path.empty() ? "" : section_path + ".") + *near + "'?";
  }
  const std::string elsewhere = path_of_name(name, root, "");
  if (!elsewhere.empty()) return "; did you mean '" + elsewhere + "'?";
  return "; the keys here are: " + listed(names);
}

std::string hint_for_choice(const std::string& given, const std::vector<std::string>& choices) {
  const auto near = nearest_name(given, choices);
  return ", but must be one of " + listed(choices) + (near ? "; did you mean '" + *near + "'?" : "");
}

}  // namespace rim
