#include "monitors/builtin/behaviour_scoring.h"

#include <algorithm>

#include "data/evaluation/extract.h"
#include "data/support/error.h"
#include "monitors/statistics/statistics.h"

namespace rim {
namespace {

bool has_thought(const GeneratedResponse& response) {
  return split_response(response.text).reasoning.find_first_not_of(" \t\r\n") != std::string::npos;
}

std::size_t extractor_index(const std::string& name) {
  const auto found = std::ranges::find(kExtractorNames, name);
  if (found == kExtractorNames.end()) throw Error(ExitCode::software, "unknown answer extractor '" + name + "'");
  return static_cast<std::size_t>(found - kExtractorNames.begin());
}

void require_pairs(const std::vector<Prompt>& prompts, const std::vector<GeneratedResponse>& responses) {
  if (prompts.size() != responses.size()) {
    throw Error(ExitCode::software,
                std::to_string(responses.size()) + " responses to " + std::to_string(prompts.size()) + " prompts");
  }
}

}  // namespace

ResponseShape shape_of(const std::vector<GeneratedResponse>& responses) {
  std::vector<double> thought, tokens;
  for (const GeneratedResponse& response : responses) {
    thought.push_back(has_thought(response) ? 1 : 0);
    tokens.push_back(static_cast<double>(response.tokens));
  }
  const auto truncated =
      std::ranges::count_if(responses, [](const GeneratedResponse& response) { return !response.stopped; });
  return {.truncated = truncated, .thought = mean(thought), .mean_tokens = mean(tokens)};
}

std::vector<Verdict> judge_all(const std::vector<Prompt>& prompts, const std::vector<GeneratedResponse>& responses,
                               const JudgeOptions& options) {
  require_pairs(prompts, responses);
  std::vector<Verdict> verdicts;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const std::string answer = split_response(responses[i].text).answer;
    verdicts.push_back(judge_response(prompts[i].text, answer, options, prompts[i].topic));
  }
  return verdicts;
}

std::int64_t count_off_topic(const std::vector<Prompt>& prompts, const std::vector<GeneratedResponse>& responses,
                             const std::vector<Verdict>& verdicts) {
  require_pairs(prompts, responses);
  std::int64_t count = 0;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const std::string answer = split_response(responses[i].text).answer;
    const bool complied = verdicts.at(i) == Verdict::complied;
    if (verdicts[i] == Verdict::off_topic || (complied && !is_on_topic(prompts[i].text, answer, prompts[i].topic)))
      ++count;
  }
  return count;
}

TaskScores score_task(const std::vector<Prompt>& prompts, const std::vector<GeneratedResponse>& responses) {
  require_pairs(prompts, responses);
  TaskScores scores;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const auto extracted = extract_answer(split_response(responses[i].text).answer);
    const bool correct = extracted && answers_equal(extracted->text, prompts[i].answer);
    scores.correct.push_back(correct ? 1 : 0);
    ++scores.extractors[extractor_index(extracted ? extracted->extractor : "none")];
  }
  return scores;
}

}  // namespace rim
