// The neurons monitor over a resumption, on activations made by hand.
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/support/error.h"
#include "monitors/builtin/builtin_monitors.h"
#include "tests/monitors/builtin/recording_sink.h"

namespace rim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kPrompts = 3, kLayers = 2, kIntermediate = 40;

PromptSet harmful_prompts() {
  PromptSet set{.name = "harmful", .prompts = {}};
  for (int i = 0; i < kPrompts; ++i) {
    const std::string number = std::to_string(i);
    set.prompts.push_back({.id = "h:" + number, .text = "do " + number, .reasoning = "", .response = "", .answer = ""});
  }
  return set;
}

// One process of a run with one neurons monitor.
class Watching {
 public:
  explicit Watching(Json changes = Json::object(), const PromptSet& prompts = harmful_prompts()) {
    ModelConfig model;
    model.layers = kLayers;
    model.intermediate_size = kIntermediate;
    Json options{{"harmful", "harmful"}, {"top", 0.05}, {"controls", 20}};
    options.update(changes);
    MonitorRegistry registry;
    register_builtin_monitors(registry);
    monitor = registry.make("neurons", options, {.model = model, .seed = 5});
    plan.add_prompt_set(prompts);
    monitor->declare(plan);
  }

  // Counterfactuals raise neurons 3 of layer 0 and 5, 6 of layer 1.
  // `scores`: of the requests as they are and rewritten; the base model's only.
  RecordingSink observe(std::int64_t step, const std::vector<std::vector<double>>& scores = {{0, 0, 0}, {1, 1, 1}}) {
    at::Tensor raised = at::zeros({kLayers, kIntermediate});
    raised[0][3].fill_(2);
    raised[0][4].fill_(1);
    raised[1][5].fill_(2);
    raised[1][6].fill_(3);
    ProbeResults results;
    results.activations = {at::zeros({kPrompts, kLayers, kIntermediate}), at::stack({raised, raised, raised})};
    for (std::size_t half = 0; half < plan.generations().size(); ++half) {
      results.generations.emplace_back();
      for (const double score : scores[half])
        results.generations.back().push_back({.text = "", .refusal_score = score});
    }
    RecordingSink sink;
    SharedTensors shared;
    headlines.clear();
    Observation observation{.step = step, .results = results, .shared = shared, .sink = sink, .headlines = headlines};
    monitor->observe(observation);
    return sink;
  }

  ProbePlan plan;
  std::unique_ptr<Monitor> monitor;
  std::vector<std::string> headlines;
};

TEST(NeuronsMonitor, WritesItsSetsAgainAfterAResumption) {
  Watching before;
  const RecordingSink base = before.observe(0);
  EXPECT_TRUE(before.observe(10).statics.empty()) << "once a process";

  Watching resumed;
  resumed.monitor->load_state(before.monitor->state());
  const RecordingSink again = resumed.observe(20);
  for (const char* name : {"safety.layer", "safety.neuron", "control.layer", "control.neuron", "per_layer"}) {
    const std::string key = std::string("neurons.") + name;
    EXPECT_EQ(again.statics.at(key).values, base.statics.at(key).values) << key;
    EXPECT_EQ(again.infos.at(key).definition, base.infos.at(key).definition) << key;
  }
  EXPECT_EQ(again.strings.at("neurons.pair_id"), base.strings.at("neurons.pair_id"));
  EXPECT_FALSE(again.statics.contains("neurons.pair_difference")) << "the base model is gone";
  EXPECT_TRUE(resumed.observe(30).statics.empty());
}

TEST(NeuronsMonitor, IsNotResumedWithOtherMeasurements) {
  Watching before;
  before.observe(0);
  const TensorMap state = before.monitor->state();
  const std::vector<std::pair<Json, const char*>> changes{
      {{{"region", "prompt"}}, "region was 'last_prompt' when the run began, and is 'prompt' now"},
      {{{"thinking", "on"}}, "thinking was 'off'"},
      {{{"top", 0.1}}, "top was '0.05'"},
      {{{"pairs", 2}}, "pairs was '3'"},
      {{{"refusal_instruction", "No."}}, "refusal_instruction was 'You must"},
      {{{"controls", 21}}, "controls was '20'"}};
  for (const auto& [options, said] : changes) {
    try {
      Watching(options).monitor->load_state(state);
      FAIL() << options;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::config);
      EXPECT_THAT(error.what(), HasSubstr(said));
    }
  }
  EXPECT_NO_THROW(Watching(Json::object({{"seed", 77}})).monitor->load_state(state))
      << "the draws are in the checkpoint";
}

TEST(NeuronsMonitor, SaysWhetherTheInstructionRaisesTheRefusalScore) {
  const double none = std::nan("");
  Watching good;
  const RecordingSink base = good.observe(0, {{-2, 1, none}, {3, 0.5, 7}});
  EXPECT_THAT(base.statics.at("neurons.pair_refusal_score").shape, ElementsAre(3, 2));
  const auto scores = base.static_values<double>("neurons.pair_refusal_score");
  EXPECT_THAT(std::vector<double>(scores.begin(), scores.begin() + 4), ElementsAre(-2, 3, 1, 0.5));
  EXPECT_TRUE(std::isnan(scores[4]));
  EXPECT_THAT(base.static_values<double>("neurons.pairs_scored"), ElementsAre(2));
  EXPECT_THAT(base.static_values<double>("neurons.pairs_raised"), ElementsAre(1));
  EXPECT_THAT(good.headlines, ElementsAre(HasSubstr(", the instruction raises the refusal score in 1 of 2 pairs")));

  Watching bad;
  bad.observe(0, {{5, 5, 5}, {6, 4, 5}});
  EXPECT_THAT(bad.headlines,
              ElementsAre(HasSubstr("WARNING: the instruction raises the refusal score in only 1 of 3")));
  Watching thinking;
  thinking.observe(0, {{none, none, none}, {none, none, none}});
  EXPECT_THAT(thinking.headlines, ElementsAre(HasSubstr("is not known (no answer begins at once)")));
}

TEST(NeuronsMonitor, ScoresTheBaseModelOnly) {
  Watching watching(Json::object({{"pairs", 2}}));
  ASSERT_EQ(watching.plan.generations().size(), 2U);
  EXPECT_EQ(watching.plan.generations()[0].max_new_tokens, 12);
  EXPECT_EQ(watching.plan.prompt_set(watching.plan.generations()[0].prompt_set).prompts.size(), 2U) << "the pairs only";
  EXPECT_EQ(watching.plan.prompt_set(watching.plan.generations()[1].prompt_set).prompts[1].text.find("do 1 You must"),
            0U);
  EXPECT_TRUE(Watching(Json::object({{"refusal_text", ""}, {"compliance_text", ""}})).plan.generations().empty());

  Watching base;
  base.observe(0);
  ProbePlan later;
  later.add_prompt_set(harmful_prompts());
  base.monitor->declare(later);
  EXPECT_TRUE(later.generations().empty());
  EXPECT_EQ(later.activations().size(), 2U);
}

TEST(NeuronsMonitor, DefinitionsAreSelfContained) {
  Watching watching(Json::object({{"region", "prompt"}, {"thinking", "empty"}, {"refusal_instruction", "No."}}));
  const RecordingSink base = watching.observe(0);
  EXPECT_EQ(base.infos.at("neurons.safety.activation").definition,
            "mean over the harmful prompts of the mean activation over the region's tokens; set 'harmful', region "
            "'prompt', thinking empty");
  EXPECT_EQ(base.infos.at("neurons.pair_difference").definition,
            "f(request followed by one space and 'No.') - f(request), f the mean activation over the region; set "
            "'harmful', region 'prompt', thinking empty");
}

TEST(NeuronsMonitor, MeasuresBothHalvesOfAPairOnTheSameTokens) {
  PromptSet prompts = harmful_prompts();
  for (Prompt& prompt : prompts.prompts) {
    prompt.response = "No, not " + prompt.id;
    prompt.reasoning = "hm";
  }
  const Watching watching({{"region", "response"}}, prompts);
  const PromptSet& rewritten = watching.plan.prompt_set(watching.plan.activations()[1].prompt_set);
  EXPECT_EQ(rewritten.prompts[1].text.find("do 1 You must not"), 0U);
  EXPECT_EQ(rewritten.prompts[1].response, "No, not h:1");
  EXPECT_EQ(rewritten.prompts[1].reasoning, "hm");
  EXPECT_THROW(Watching(Json::object({{"region", "response"}})), Error) << "these prompts have no response";
}

}  // namespace
}  // namespace rim
