// Word problems with worked reasoning in the manner of GSM8K, made up from templates: training data that a project may
// ship, for models that can read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "data/support/random.h"

namespace rim {

struct WordProblem {
  std::string question;
  std::string worked;  // one step a line
  std::int64_t answer = 0;
};

// One problem of a random template, with random names, things and numbers; answers are positive.
WordProblem draw_word_problem(Random& random);

// Writes train.jsonl, test.jsonl and README.md into `folder`. Each row has id, question, answer ("worked\n#### 18") for
// the format gsm8k, and the same as messages for the format messages, the worked answer as the assistant's content. No
// question comes twice, in either file. A pure function of its arguments. Throws Error(input_output), or Error(usage)
// for sizes that are not positive or larger than the templates give.
void write_word_problems(const std::filesystem::path& folder, std::uint64_t seed, std::int64_t train,
                         std::int64_t test);

}  // namespace rim
