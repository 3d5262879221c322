#include "launch/config/hints.h"

#include <array>
#include <string_view>
#include <utility>

#include "data/support/text.h"
#include "launch/config/spelling.h"

namespace rim {
namespace {

constexpr std::string_view kNoAdapters =
    "this version trains the model's own weights ('trainable' chooses which) and has no adapters";
constexpr std::string_view kNoEvaluation = "monitors observe at every checkpoint: 'save_steps'";
constexpr std::string_view kBySteps = "checkpoints follow 'save_steps'";
constexpr std::string_view kNoQuantisation = "weights are float32 or bfloat16: 'model: {dtype: bfloat16}'";
constexpr std::string_view kNoSharding =
    "every rank holds the whole model; '--dry-run' says how much memory that takes";
constexpr std::string_view kFilesOnly =
    "did you mean 'data.train'? Its files are on this machine, nothing is downloaded";

// Other trainers' names, which no edit distance would find.
constexpr auto kForeignNames = std::to_array<std::pair<std::string_view, std::string_view>>({
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
    {"torch_dtype", "write 'model: {dtype: bfloat16}'"},
    {"tf32", "float32 products are not rounded to TF32; 'model: {dtype: bfloat16}' is the faster choice"},
    {"load_in_4bit", kNoQuantisation},
    {"load_in_8bit", kNoQuantisation},
    {"dataset_name", kFilesOnly},
    {"train_file", "did you mean 'data.train'?"},
    {"freeze", "did you mean 'trainable'? It names what is trained"},
    {"lora", kNoAdapters},
    {"lora_r", kNoAdapters},
    {"lora_alpha", kNoAdapters},
    {"lora_dropout", kNoAdapters},
    {"lora_target_modules", kNoAdapters},
    {"use_peft", kNoAdapters},
    {"peft_config", kNoAdapters},
    {"adapter", kNoAdapters},
    {"gradient_checkpointing",
     "this version keeps all activations; fewer 'per_device_train_batch_size' with more 'gradient_accumulation_steps' "
     "takes less memory"},
    {"deepspeed", kNoSharding},
    {"fsdp", kNoSharding},
    {"optim", "the optimizer is AdamW; its settings start with 'adam_', and 'weight_decay' is one"},
    {"report_to", "every run writes log.jsonl and run.h5 itself"},
    {"logging_dir", "log.jsonl is in 'output_dir'"},
    {"attn_implementation", "how attention is computed is chosen by the program"},
    {"packing", "this version pads the rows of a batch and does not pack"},
    {"mitigations", "this version observes and does not mitigate"},
    {"eval_steps", kNoEvaluation},
    {"eval_strategy", kNoEvaluation},
    {"evaluation_strategy", kNoEvaluation},
    {"do_eval", kNoEvaluation},
    {"save_strategy", kBySteps},
    {"logging_strategy", "lines follow 'logging_steps'"},
});

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
  return "; the keys here are: " + join(names, ", ");
}

std::string hint_for_choice(const std::string& given, const std::vector<std::string>& choices) {
  const auto near = nearest_name(given, choices);
  return ", but must be one of " + join(choices, ", ") + (near ? "; did you mean '" + *near + "'?" : "");
}

}  // namespace rim
