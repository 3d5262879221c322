#include "launch/config/schema.h"

#include <string>
#include <utility>

namespace rim {
namespace {

// Far beyond any run, and so small that products of two of them fit an int64.
constexpr double kMostWhole = 1e9;
// Whole numbers up to here survive readers that hold numbers as doubles.
constexpr double kLargestSeed = 9007199254740991.0;
constexpr double kLargestNorm = 1e30;
// The optimizer's arithmetic is float32, where smaller numbers become 0.
constexpr double kSmallestEpsilon = 1e-30;

OptionSpec option(OptionType type, std::string name, Json fallback, std::string help) {
  OptionSpec spec;
  spec.type = type;
  spec.name = std::move(name);
  spec.fallback = std::move(fallback);
  spec.help = std::move(help);
  return spec;
}

OptionSpec text(std::string name, Json fallback, std::string help, std::vector<std::string> choices = {}) {
  OptionSpec spec = option(OptionType::string, std::move(name), std::move(fallback), std::move(help));
  spec.choices = std::move(choices);
  return spec;
}

OptionSpec flag(std::string name, bool fallback, std::string help) {
  return option(OptionType::boolean, std::move(name), fallback, std::move(help));
}

OptionSpec integer(std::string name, Json fallback, double minimum, std::string help) {
  OptionSpec spec = option(OptionType::integer, std::move(name), std::move(fallback), std::move(help));
  spec.minimum = minimum;
  spec.maximum = kMostWhole;
  return spec;
}

OptionSpec seed(Json fallback, std::string help) {
  OptionSpec spec = integer("seed", std::move(fallback), 0, std::move(help));
  spec.maximum = kLargestSeed;
  return spec;
}

OptionSpec number(std::string name, Json fallback, double minimum, double maximum, std::string help) {
  OptionSpec spec = option(OptionType::number, std::move(name), std::move(fallback), std::move(help));
  spec.minimum = minimum;
  spec.maximum = maximum;
  return spec;
}

OptionSpec group(OptionType type, std::string name, std::string help, std::vector<OptionSpec> members) {
  OptionSpec spec = option(type, std::move(name), nullptr, std::move(help));
  spec.members = std::move(members);
  return spec;
}

OptionSpec needed(OptionSpec spec) {
  spec.required = true;
  return spec;
}

OptionSpec model_section() {
  return needed(group(
      OptionType::section, "model", "the base model: 'path', or 'config' for random weights",
      {text("path", nullptr, "Hugging Face folder: config.json, safetensors weights, tokenizer.json"),
       text("config", nullptr, "a config.json (or its folder) to initialise at random instead of loading weights"),
       text("init", nullptr, "how 'config' gets its weights (default: random)", {"random"}),
       seed(nullptr, "seed of the random weights of 'config' (default: the run's seed)"),
       text("dtype", "auto",
            "weights and arithmetic; optimizer state and master weights are float32. auto: bfloat16 on GPUs that have "
            "it and on CPUs where it multiplies faster than float32 (measured at the start) for models at least 128 "
            "wide, else float32",
            {"auto", "float32", "bfloat16"})}));
}

OptionSpec data_section() {
  OptionSpec train = needed(group(
      OptionType::section_list, "train", "the training files",
      {needed(text("path", nullptr, "JSONL file")),
       text("format", "messages",
            "messages: {\"messages\": [{role, content}]}; prompt_completion: {\"prompt\", \"completion\"} as texts or "
            "message lists; gsm8k: {\"question\", \"answer\"}: what stands before the answer's last ####, without "
            "calculator marks (<<48/2=24>>), becomes the thought, what follows it the answer; a row without #### is an "
            "error",
            {"messages", "prompt_completion", "gsm8k"}),
       number("weight", 1.0, 1e-6, 1e6, "copies per epoch; 0.5 draws another seeded half each epoch"),
       integer("limit", nullptr, 1, "use the first rows only")}));
  return needed(
      group(OptionType::section, "data", "what to train on",
            {std::move(train), integer("max_length", 1024, 2, "tokens per sample; longer ones are cut at the end"),
             text("thinking", "on",
                  "on: reasoning is rendered in its think span and trained; off: reasoning is dropped and thinking "
                  "switched off "
                  "the family's own way; empty: an empty think span, whatever the family",
                  {"on", "off", "empty"}),
             text("chat_template", "auto", "auto reads the model folder's", {"auto", "chatml", "llama3"})}));
}

OptionSpec prompt_sets_section() {
  return group(
      OptionType::section_map, "prompt_sets", "prompts for the monitors, by name",
      {needed(text("path", nullptr, ".jsonl, or .csv with a header row")),
       text("format", "field",
            "field: one column is the request; beside it 'id', 'answer' (a task's), 'response' and 'reasoning' (a "
            "reference response) and 'topic' are read where they are there; gsm8k as in data.train; messages: up to "
            "the last user "
            "turn, without an answer",
            {"field", "gsm8k", "messages"}),
       text("field", "prompt", "the column or member that holds the request (format field)"),
       integer("limit", nullptr, 1, "use the first rows only"),
       text("where", "", "column=value: keep only such rows")});
}

std::vector<OptionSpec> length_and_batch_options() {
  return {integer("max_steps", nullptr, 1, "optimizer steps; give this or num_train_epochs"),
          number("num_train_epochs", nullptr, 1e-6, 1e9,
                 "passes over the data; give this or max_steps. Steps: this x samples per epoch / global batch, "
                 "rounded up; a batch "
                 "runs on into the next epoch, so that no sample is left out"),
          integer("per_device_train_batch_size", 8, 1, "samples per rank and forward pass"),
          integer("gradient_accumulation_steps", 1, 1,
                  "forward passes per optimizer step; global batch = this x per_device_train_batch_size x ranks")};
}

std::vector<OptionSpec> optimizer_options() {
  return {
      number("learning_rate", 5e-5, 0, 10, "peak rate"),
      text("lr_scheduler_type", "linear", "shape after the warm-up; constant has none, and ignores what is set for it",
           {"linear", "cosine", "constant", "constant_with_warmup"}),
      number("warmup_ratio", 0.0, 0, 1, "share of all steps with rising rate; this or warmup_steps"),
      integer("warmup_steps", 0, 0, "steps with rising rate; this or warmup_ratio"),
      number("weight_decay", 0.0, 0, 10, "decoupled (AdamW); norms and biases are left out"),
      number("adam_beta1", 0.9, 0, 0.999999, "AdamW's decay of the first moment"),
      number("adam_beta2", 0.999, 0, 0.9999999, "AdamW's decay of the second moment"),
      number("adam_epsilon", 1e-8, kSmallestEpsilon, 1, "AdamW's epsilon; without one, 0 / 0 where a gradient is 0"),
      number("max_grad_norm", 1.0, 0, kLargestNorm, "gradients are scaled down to this norm; 0: never"),
      option(OptionType::string_list, "trainable", nullptr,
             "glob patterns of parameter names to train, e.g. [\"model.layers.2[0-9].*\"]; left out: all")};
}

std::vector<OptionSpec> run_options() {
  return {
      integer("save_steps", 500, 0, "steps between checkpoints, where monitors observe too; 0: only at the end"),
      integer(
          "save_total_limit", nullptr, 1,
          "checkpoints kept, the oldest go first; left out: all. Those that a resumption from an earlier one set aside "
          "(.abandoned) stay"),
      integer("logging_steps", 1, 1, "steps between lines of log.jsonl, and of the output where that is no terminal"),
      seed(1, "order of the data and draws of the monitors"),
      text("resume_from_checkpoint", nullptr,
           "auto: the newest whole checkpoint of output_dir, or a fresh start where there is none; or a checkpoint "
           "folder"),
      flag("overwrite_output_dir", false,
           "remove the files of a run that output_dir holds, and start afresh or from a checkpoint elsewhere"),
      text("device", "auto", "auto: one GPU per rank where there are some, else the CPU", {"auto", "cpu", "cuda"}),
      integer("ddp_timeout", 1800, 1, "seconds any rank waits for the others before the run is ended")};
}

}  // namespace

std::vector<OptionSpec> training_schema(const std::vector<OptionVariant>& monitors) {
  OptionSpec tokenizer =
      text("tokenizer", nullptr, "tokenizer.json or its folder (default: the folder of model.path or model.config)");
  OptionSpec output =
      needed(text("output_dir", nullptr, "folder of the run: config.yaml, log.jsonl, run.h5, checkpoints"));
  OptionSpec watchers =
      group(OptionType::section_list, "monitors", "what is measured at step 0 and at every checkpoint", {});
  watchers.variants = monitors;

  std::vector<OptionSpec> schema{model_section(), std::move(tokenizer), data_section(), std::move(output)};
  for (auto part : {length_and_batch_options(), optimizer_options(), run_options()}) {
    schema.insert(schema.end(), part.begin(), part.end());
  }
  schema.push_back(prompt_sets_section());
  schema.push_back(std::move(watchers));
  return schema;
}

}  // namespace rim
