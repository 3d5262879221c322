// What every part of a probe needs at hand. Internal to the probe runner.
#pragma once

#include <string>
#include <utility>

#include "monitors/core/probe.h"
#include "monitors/core/probe_runner.h"
#include "monitors/core/probe_texts.h"

namespace rim {

struct ProbeContext {
  const Decoder& model;
  const Tokenizer& tokenizer;
  ProbeTexts& texts;
  const ProbeRunnerOptions& options;
  const ProbePlan& plan;
  int rank = 0;
  int ranks = 1;
};

// Runs `work`, which probes one prompt; an Error from inside is thrown on with the set's name and the prompt's id.
template <typename Work>
decltype(auto) with_prompt(const PromptSet& set, const Prompt& prompt, Work&& work) {
  return with_context("prompt set '" + set.name + "', prompt '" + prompt.id + "'", std::forward<Work>(work));
}

// Throws Error(bad_data) for a probe longer than the runner's max_length.
void require_fitting_length(std::size_t tokens, const ProbeRunnerOptions& options);

}  // namespace rim
