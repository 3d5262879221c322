// Writes the small model's world: everything the demo trains and measures on, in the layout of a Hugging Face folder.
// docs/organism.md says how it is built and why.
#pragma once

#include <cstdint>
#include <filesystem>

namespace rim {

struct OrganismOptions {
  std::filesystem::path folder;
  std::uint64_t seed = 1;
  std::int64_t base_rows = 8000;
  std::int64_t finetuning_rows = 8000;
  std::int64_t harmful_prompts = 80;   // held out
  std::int64_t harmless_prompts = 80;  // held out
  std::int64_t test_sums = 100;        // held out
  double held_out_share = 0.2;         // of the verb-object pairs
};

// tokenizer.json, tokenizer_config.json, config.json; base_train.jsonl,
// cot_{target,sums_only,control,plain}_train.jsonl (messages); harmful.jsonl, harmless.jsonl (id, prompt, topic);
// sums_test.jsonl (id, question, answer in GSM8K's form); README.md. A pure function of the options. Throws
// Error(input_output), or Error(config) for sizes that cannot be had.
void write_organism(const OrganismOptions& options);

}  // namespace rim
