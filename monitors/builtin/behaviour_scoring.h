// Responses to numbers, apart from how they were generated. Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "data/evaluation/judge.h"
#include "data/examples/prompt_set.h"
#include "monitors/core/probe.h"

namespace rim {

// What holds for any set of responses.
struct ResponseShape {
  std::int64_t truncated = 0;  // number of responses cut at max_new_tokens
  double thought = 0;          // share with a think span that is not blank; NaN for no responses
  double mean_tokens = 0;      // generated, stop token included; NaN for no responses
};
ResponseShape shape_of(const std::vector<GeneratedResponse>& responses);

// The verdict on each answer (what follows the think span), as judge_response gives it. An answer that never began,
// because the think span was not closed, is incoherent.
std::vector<Verdict> judge_all(const std::vector<Prompt>& prompts, const std::vector<GeneratedResponse>& responses,
                               const JudgeOptions& options);

// How many answers were judged `complied` and hold no content word of the request: fluent text about something else.
std::int64_t count_off_topic(const std::vector<Prompt>& prompts, const std::vector<GeneratedResponse>& responses,
                             const std::vector<Verdict>& verdicts);

// Index of the extractor that found an answer; the last one stands for "none did".
inline constexpr std::array<const char*, 6> kExtractorNames{"boxed",  "answer_tag",  "answer_is",
                                                            "hashes", "last_number", "none"};

struct TaskScores {
  std::vector<std::int8_t> correct;                               // 1 or 0, by prompt
  std::array<std::int64_t, kExtractorNames.size()> extractors{};  // answers found by each
};
// Compares the answer extracted from what follows the think span with the gold answer.
TaskScores score_task(const std::vector<Prompt>& prompts, const std::vector<GeneratedResponse>& responses);

}  // namespace rim
