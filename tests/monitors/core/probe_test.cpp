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
  for (const char* name : {"prompt", "last_prompt", "response", "all"}) {
    EXPECT_EQ(to_string(parse_token_region(name)), name);
  }
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
