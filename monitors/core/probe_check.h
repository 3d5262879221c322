// What a plan needs and what is wrong with it, before there is a model.
#pragma once

#include <cstdint>

#include "data/tokenizer/chat_template.h"
#include "data/tokenizer/tokenizer.h"
#include "monitors/core/probe.h"
#include "monitors/core/probe_runner.h"

namespace rim {

struct ProbeNeeds {
  std::int64_t cache_positions = 0;     // keys and values held at once by one rank's largest batch of generation
  std::int64_t longest_generation = 0;  // a prompt's tokens and all new ones that are allowed after it
  double activation_bytes = 0;          // of the results of all activation requests, which every rank holds whole
};

// Renders and tokenises every prompt that is asked for. Throws what the runner would throw at the first observation:
// Error(bad_data) for a prompt that is too long, naming it; Error(config) for texts that no refusal score can be read
// from.
ProbeNeeds check_probes(const ProbePlan& plan, const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                        const ProbeRunnerOptions& options, const ModelConfig& model, int ranks);

}  // namespace rim
