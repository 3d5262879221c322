#include "monitors/core/probe_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/support/error.h"
#include "tests/monitors/core/bare_prompt.h"
#include "tests/monitors/core/tiny_model.h"

namespace rim {
namespace {

using testing::HasSubstr;

class ProbeCheckTest : public testing::Test {
 protected:
  ProbeCheckTest() {
    plan_.add_prompt_set(
        {.name = "p", .prompts = {bare_prompt("a", "one"), bare_prompt("b", "three"), bare_prompt("c", "two")}});
  }

  ProbeNeeds check(const ProbeRunnerOptions& options = {}, int ranks = 1) {
    return check_probes(plan_, model_.tokenizer, model_.chat_template, options, tiny_config(), ranks);
  }

  std::string complaint(const ProbeRunnerOptions& options = {}) {
    try {
      check(options);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  TinyModel model_{"rimscope-probe-check-test"};
  ProbePlan plan_;
};

TEST_F(ProbeCheckTest, CountsThePositionsOfTheLargestBatch) {
  EXPECT_EQ(check().cache_positions, 0);
  plan_.request(ActivationRequest{.prompt_set = "p"});
  EXPECT_EQ(check().cache_positions, 0) << "no cache where nothing is generated";
  plan_.request(GenerationRequest{.prompt_set = "p", .thinking = ThinkingMode::on, .max_new_tokens = 10});
  const auto prompt = std::ssize(model_.tokenizer.encode("<|im_start|>user\nthree<|im_end|>\n<|im_start|>assistant\n"));
  EXPECT_EQ(check().cache_positions, 3 * (prompt + 10));
  EXPECT_EQ(check().longest_generation, prompt + 10);
  EXPECT_EQ(check({}, 2).cache_positions, 2 * (prompt + 10)) << "three prompts on two ranks";
  ProbeRunnerOptions little;
  little.cache_positions = 1;
  EXPECT_EQ(check(little).cache_positions, prompt + 10);
}

TEST_F(ProbeCheckTest, CountsWhatTheActivationsTake) {
  EXPECT_EQ(check().activation_bytes, 0);
  plan_.request(ActivationRequest{.prompt_set = "p"});
  EXPECT_EQ(check().activation_bytes, 4 * 3 * 3 * 24) << "fp32 [3 prompts, 3 layers, 24 neurons]";
  plan_.request(ActivationRequest{.prompt_set = "p", .site = TapSite::residual});
  EXPECT_EQ(check({}, 2).activation_bytes, 4 * 3 * 3 * (24 + 16)) << "every rank holds all prompts";
}

TEST_F(ProbeCheckTest, NamesAPromptThatDoesNotFit) {
  ProbeRunnerOptions options;
  options.max_length = 8;
  EXPECT_EQ(complaint(options), "") << "nobody asks for them";
  plan_.request(ActivationRequest{.prompt_set = "p"});
  EXPECT_THAT(complaint(options), HasSubstr("prompt set 'p', prompt 'a': is "));
}

}  // namespace
}  // namespace rim
