#include "monitors/core/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/support/error.h"
#include "tests/monitors/core/bare_prompt.h"

namespace rim {
namespace {

PromptSet two_prompts(const std::string& name) {
  return {.name = name, .prompts = {bare_prompt("a", "one"), bare_prompt("b", "two")}};
}

TEST(TokenRegion, NamesComeBack) {
  EXPECT_THAT(token_region_names(), testing::ElementsAre("prompt", "last_prompt", "response", "all"));
  for (const std::string& name : token_region_names()) EXPECT_EQ(to_string(parse_token_region(name)), name);
  EXPECT_THROW(parse_token_region("everything"), Error);
}

TEST(ProbePlan, IdenticalWishesShareAHandle) {
  ProbePlan plan;
  plan.add_prompt_set(two_prompts("p"));
  const ActivationRequest wish{.prompt_set = "p"};
  EXPECT_EQ(plan.request(wish), 0U);
  ActivationRequest other = wish;
  other.intervention.neurons = {{0, 1}};
  EXPECT_EQ(plan.request(other), 1U);
  EXPECT_EQ(plan.request(wish), 0U);
  EXPECT_EQ(plan.activations().size(), 2U);
  EXPECT_EQ(plan.request(GenerationRequest{.prompt_set = "p"}), 0U);
  EXPECT_EQ(plan.request(GenerationRequest{.prompt_set = "p", .max_new_tokens = 7}), 1U);
}

TEST(ProbePlan, RefusesWhatCannotBeServed) {
  ProbePlan plan;
  plan.add_prompt_set(two_prompts("p"));
  plan.add_prompt_set(two_prompts("q"));
  try {
    plan.request(ActivationRequest{.prompt_set = "r"});
    FAIL() << "unknown set";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_THAT(error.what(), testing::HasSubstr("no prompt set is called 'r': prompt_sets has p, q"));
  }
  EXPECT_THROW(plan.request(ActivationRequest{.prompt_set = "p", .site = TapSite::attention_pattern}), Error);
  EXPECT_THROW(plan.request(GenerationRequest{.prompt_set = "p", .refusal_text = "No."}), Error);
  PromptSet mixed = two_prompts("r");
  mixed.prompts[0].response = "yes";
  plan.add_prompt_set(mixed);
  try {
    plan.request(ActivationRequest{.prompt_set = "r", .region = TokenRegion::response});
    FAIL() << "one prompt has no response";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_THAT(error.what(), testing::HasSubstr("prompt 'b' of prompt set 'r' has none"));
  }
}

TEST(ProbePlan, KnowsWhatMonitorsShare) {
  ProbePlan plan;
  try {
    plan.require("neurons", "monitor ras");
    FAIL() << "nothing is provided yet";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_STREQ(error.what(), "monitor ras needs what monitor 'neurons' provides: list it before monitor ras");
  }
  plan.provide("neurons");
  EXPECT_NO_THROW(plan.require("neurons", "monitor ras"));
  EXPECT_THROW(plan.provide("neurons"), Error);
}

TEST(ProbePlan, OneNameIsOneSet) {
  ProbePlan plan;
  plan.add_prompt_set(two_prompts("p"));
  EXPECT_NO_THROW(plan.add_prompt_set(two_prompts("p")));
  PromptSet changed = two_prompts("p");
  changed.prompts[1].text = "three";
  EXPECT_THROW(plan.add_prompt_set(changed), Error);
}

}  // namespace
}  // namespace rim
