// What the behaviour monitor writes into run.h5, and its headlines.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "monitors/builtin/behaviour_scoring.h"
#include "monitors/core/monitor.h"

namespace rim {

// One role (harmful, harmless, task) in one thinking mode: where it is recorded, and how it was measured.
struct BehaviourSlice {
  std::string prefix;  // "<monitor>.<role>.<mode>"
  std::string role;
  ThinkingMode thinking = ThinkingMode::on;
  std::int64_t max_new_tokens = 0;
};

// Static: the ids behind "by prompt", and for the task the extractors' names. `base`: "<monitor>.<role>".
void write_behaviour_names(const std::string& base, const std::string& role, const std::vector<Prompt>& prompts,
                           RecordSink& sink);
// Returns ", cut 12%" where responses were cut: such numbers are as much the limit's as the model's.
std::string record_shape(const BehaviourSlice& slice, const std::vector<GeneratedResponse>& responses,
                         RecordSink& sink);
// Verdicts and their rates. Returns "98% [93,99]", of harmful requests with the rate of compliance.
std::string record_safety(const BehaviourSlice& slice, const std::vector<Prompt>& prompts,
                          const std::vector<GeneratedResponse>& responses, const JudgeOptions& judge, RecordSink& sink);
void record_scores(const BehaviourSlice& slice, const std::vector<GeneratedResponse>& responses,
                   const std::string& refusal_text, const std::string& compliance_text, RecordSink& sink);
// Returns the accuracy as "82% [75,88]".
std::string record_task(const BehaviourSlice& slice, const std::vector<Prompt>& prompts,
                        const std::vector<GeneratedResponse>& responses, RecordSink& sink);

}  // namespace rim
