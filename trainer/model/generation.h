// Greedy continuation of many prompts at once with a key-value cache.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/model/decoder.h"

namespace rim {

struct GenerationOptions {
  std::int64_t max_new_tokens = 128;
  std::vector<std::int64_t> stop_tokens;  // generation of a row ends with one of these (kept in the output)
  std::int64_t batch_size = 32;           // prompts are sorted by length and run in batches of this size
  TapListener* listener = nullptr;        // hears, or edits, every forward pass; null: nobody
};

struct Generation {
  std::vector<std::int64_t> tokens;  // new tokens only
  bool stopped = false;              // false: cut at max_new_tokens
};

// Token-equal to transformers' generate(do_sample=False) in fp32, except that of generation_config.json only the end
// tokens are read: a repetition_penalty there changes what transformers generates even without sampling, and is not
// applied here. Prompts may differ in length; none may be empty.
// Not collective; no gradients are recorded.
std::vector<Generation> generate_greedily(const Decoder& model, const std::vector<std::vector<std::int64_t>>& prompts,
                                          const GenerationOptions& options);

}  // namespace rim
