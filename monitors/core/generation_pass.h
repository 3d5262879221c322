// Greedy responses to the prompts of each generation request, and the scores at the start of their answers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "monitors/core/probe_context.h"

namespace rim {

// This rank's responses to one request, by prompt.
using RankResponses = std::map<std::size_t, GeneratedResponse>;

struct GenerationPass {
  std::vector<RankResponses> responses;  // by handle
  std::int64_t forward_passes = 0;       // teacher-forced ones, for the scores
};

// Prompts that are generated together: as many as the options allow and the cache has room for, at least one.
std::int64_t generation_rows(std::int64_t longest_prompt, std::int64_t max_new_tokens,
                             const ProbeRunnerOptions& options);

// Not collective.
GenerationPass run_generation_requests(const ProbeContext& context);

// One request's responses as text, for the trip between ranks.
std::string pack_responses(const RankResponses& responses);
// The parts of all ranks put together, in the set's order. Throws Error(software) where one of `prompts` is missing.
std::vector<GeneratedResponse> unpack_responses(const std::vector<std::string>& parts, std::size_t prompts);

}  // namespace rim
