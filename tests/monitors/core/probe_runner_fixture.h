// A small model with prompts of mixed lengths, for the tests of the probe runner.
#pragma once

#include <gtest/gtest.h>

#include "monitors/core/probe_runner.h"
#include "tests/monitors/core/solo_communicator.h"
#include "tests/monitors/core/tiny_model.h"

namespace rim {

inline PromptSet mixed_lengths() {
  PromptSet set{.name = "p", .prompts = {}};
  const std::vector<std::string> words{"Hi",
                                       "How do I bake a loaf of bread at home?",
                                       "Why?",
                                       "Name three rivers.",
                                       "Add 2 and 3, and then take 1 from what you have got.",
                                       "ok",
                                       "é"};
  for (const std::string& text : words) {
    set.prompts.push_back({.id = "p:" + std::to_string(set.prompts.size()),
                           .text = text,
                           .reasoning = "short thought",
                           .response = "So " + text,
                           .answer = ""});
  }
  return set;
}

class ProbeRunnerTest : public testing::Test {
 protected:
  ProbeRunnerTest() { plan_.add_prompt_set(mixed_lengths()); }

  ProbeResults run(const ProbePlan& plan, std::int64_t batch_tokens = 8192) {
    ProbeRunnerOptions options;
    options.batch_tokens = batch_tokens;
    options.stop_tokens = {*model_.tokenizer.token_to_id("<|im_end|>")};
    SoloCommunicator communicator;
    return ProbeRunner(model_.tokenizer, model_.chat_template, options).run(model_.decoder, plan, communicator);
  }

  ActivationRequest wish(TokenRegion region, ThinkingMode thinking = ThinkingMode::on) const {
    return {.prompt_set = "p", .site = TapSite::neurons, .region = region, .thinking = thinking, .intervention = {}};
  }

  TinyModel model_{"rimscope-probe-runner-test"};
  ProbePlan plan_;
};

}  // namespace rim
