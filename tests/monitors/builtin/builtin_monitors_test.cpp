// The monitors on activations and responses made by hand: no model is run.
#include "monitors/builtin/builtin_monitors.h"

#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/support/error.h"
#include "tests/monitors/builtin/recording_sink.h"

namespace rim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kLayers = 2, kIntermediate = 40;

ModelConfig small_model() {
  ModelConfig config;
  config.layers = kLayers;
  config.intermediate_size = kIntermediate;
  return config;
}

PromptSet prompts(const std::string& name, std::size_t count, const std::string& response = "",
                  const std::string& answer = "") {
  PromptSet set{.name = name, .prompts = {}};
  for (std::size_t i = 0; i < count; ++i) {
    set.prompts.push_back({.id = name + ":" + std::to_string(i),
                           .text = "request " + std::to_string(i),
                           .reasoning = "",
                           .response = response,
                           .answer = answer});
  }
  return set;
}

// The builtin monitors, declared on one plan and fed with results made by hand.
class BuiltinMonitors : public testing::Test {
 protected:
  BuiltinMonitors() {
    register_builtin_monitors(registry_);
    restart();
  }

  // As another process of the run: no monitor, nothing declared.
  void restart() {
    monitors_.clear();
    plan_ = {};
    plan_.add_prompt_set(prompts("harmful", 4));
    plan_.add_prompt_set(prompts("sums", 3, "it is 7", "7"));
    plan_.add_prompt_set(prompts("harmless", 2));
  }

  Monitor& add(const std::string& kind, const Json& options) {
    monitors_.push_back(registry_.make(kind, options, {.model = model_, .seed = 5}));
    monitors_.back()->declare(plan_);
    return *monitors_.back();
  }

  RecordingSink observe(std::int64_t step, const ProbeResults& results) {
    RecordingSink sink;
    SharedTensors shared;
    headlines_.clear();
    Observation observation{.step = step, .results = results, .shared = shared, .sink = sink, .headlines = headlines_};
    for (const auto& monitor : monitors_) monitor->observe(observation);
    return sink;
  }

  // Harmful 1 everywhere; counterfactuals raise neuron 3 of layer 0 and neurons 5, 6 of layer 1; the task is 0.
  ProbeResults base_results() const {
    ProbeResults results;
    at::Tensor raised = at::zeros({kLayers, kIntermediate});
    raised[0][3].fill_(2);
    raised[1][5].fill_(2);
    raised[1][6].fill_(3);
    at::Tensor votes = raised.clone();
    votes[0][30].fill_(1);  // layer 0 has two votes: the second goes elsewhere in half of the pairs
    at::Tensor other = raised.clone();
    other[0][31].fill_(1);
    results.activations.push_back(at::zeros({4, kLayers, kIntermediate}).fill_(1));
    results.activations.push_back(at::stack({votes, other, votes, other}).add(1));
    results.activations.push_back(at::zeros({3, kLayers, kIntermediate}));
    return results;
  }

  MonitorRegistry registry_;
  ModelConfig model_ = small_model();
  ProbePlan plan_;
  std::vector<std::unique_ptr<Monitor>> monitors_;
  std::vector<std::string> headlines_;
};

const Json kNeurons{
    {"harmful", "harmful"}, {"top", 0.05}, {"controls", 20}, {"refusal_text", ""}, {"compliance_text", ""}};

TEST_F(BuiltinMonitors, SelectPlantedNeuronsAndFollowThem) {
  add("neurons", kNeurons);
  const RecordingSink base = observe(0, base_results());
  EXPECT_THAT(base.static_values<std::int64_t>("neurons.safety.layer"), ElementsAre(0, 1, 1));
  EXPECT_THAT(base.static_values<std::int64_t>("neurons.safety.neuron"), ElementsAre(3, 5, 6));
  EXPECT_THAT(base.static_values<std::int64_t>("neurons.per_layer"), ElementsAre(1, 2));
  EXPECT_THAT(base.statics.at("neurons.control.neuron").shape, ElementsAre(20, 3));
  EXPECT_THAT(base.statics.at("neurons.pair_difference").shape, ElementsAre(4, kLayers, kIntermediate));
  EXPECT_THAT(base.strings.at("neurons.pair_id"), ElementsAre("harmful:0", "harmful:1", "harmful:2", "harmful:3"));
  // Even pairs agree on (0, 30) as well, odd ones on (0, 31): 3 common of 5.
  EXPECT_DOUBLE_EQ(std::get<std::vector<double>>(base.statics.at("neurons.split_half").values)[0], 0.6);
  EXPECT_DOUBLE_EQ(base.scalar("neurons.overlap"), 1.0);
  EXPECT_THAT(headlines_, ElementsAre(HasSubstr("3 safety-critical neurons in 2 layers")));

  ProbeResults later = base_results();
  later.activations[0].select(1, 1).select(1, 5).copy_(at::tensor({2.0F, 4.0F, 6.0F, 8.0F}));
  later.activations[1].copy_(later.activations[0]);  // no pair differs any more: votes go to the lowest indices
  const RecordingSink now = observe(10, later);
  EXPECT_THAT(now.row<float>("neurons.safety.activation"), ElementsAre(1, 5, 1));
  EXPECT_THAT(now.row<float>("neurons.control.activation"), testing::Each(1.0F));
  EXPECT_DOUBLE_EQ(now.scalar("neurons.overlap"), 0.0);
  EXPECT_TRUE(now.statics.empty()) << "the sets belong to the base model";
}

TEST_F(BuiltinMonitors, RasFromHandMadeActivations) {
  add("neurons", kNeurons);
  add("ras", {{"task", "sums"}});
  const RecordingSink base = observe(0, base_results());
  EXPECT_DOUBLE_EQ(base.scalar("ras.safety"), 0);
  EXPECT_DOUBLE_EQ(base.scalar("ras.p"), 1);

  ProbeResults later = base_results();
  // The three selected neurons: from 1 to 0.5 on harmful requests, from 0 to 1.5 on the task.
  for (const auto& [layer, neuron] : {std::pair{0, 3}, {1, 5}, {1, 6}}) {
    later.activations[0].select(1, layer).select(1, neuron).fill_(0.5);
    later.activations[2].select(1, layer).select(1, neuron).fill_(1.5);
  }
  const RecordingSink now = observe(10, later);
  EXPECT_DOUBLE_EQ(now.scalar("ras.safety.d_safe"), 0.5);
  EXPECT_DOUBLE_EQ(now.scalar("ras.safety.d_task"), 1.5);
  EXPECT_DOUBLE_EQ(now.scalar("ras.safety"), 0.75);
  EXPECT_THAT(now.row<double>("ras.control"), testing::AllOf(testing::SizeIs(20), testing::Each(0.0)));
  EXPECT_DOUBLE_EQ(now.scalar("ras.p"), 1.0 / 21);
  EXPECT_THAT(now.row<float>("ras.safety.task_activation"), ElementsAre(1.5F, 1.5F, 1.5F));
  EXPECT_THAT(headlines_, ElementsAre("RAS safety 0.75 vs control median 0 (p 0.0476)"));
}

TEST_F(BuiltinMonitors, StateBringsTheBaseBack) {
  add("neurons", kNeurons);
  add("ras", {{"task", "sums"}});
  const RecordingSink base = observe(0, base_results());
  const std::vector<TensorMap> states{monitors_[0]->state(), monitors_[1]->state()};
  ProbeResults later = base_results();
  later.activations[0].mul_(0.5);
  later.activations[2].add_(1);
  const RecordingSink uninterrupted = observe(10, later);

  restart();
  add("neurons", kNeurons).load_state(states[0]);
  add("ras", {{"task", "sums"}}).load_state(states[1]);
  const RecordingSink resumed = observe(10, later);
  EXPECT_GT(resumed.scalar("ras.safety"), 0);
  for (const auto& [name, array] : uninterrupted.series)
    EXPECT_EQ(resumed.series.at(name).values, array.values) << name;
}

TEST_F(BuiltinMonitors, WithoutTheBaseALaterStepIsRefused) {
  add("neurons", kNeurons);
  EXPECT_THROW(observe(10, base_results()), Error);
  EXPECT_THROW(monitors_[0]->load_state({}), Error) << "before a step is trained, too";
  EXPECT_THROW(add("ras", {{"task", "sums"}}).load_state({}), Error);
  EXPECT_THROW(monitors_[0]->load_state({{"something", at::zeros({1})}}), Error);
  EXPECT_THROW(monitors_[0]->load_state({{"safety.index", at::tensor(std::vector<std::int64_t>{80})},
                                         {"control.index", at::tensor(std::vector<std::int64_t>{1}).view({1, 1})}}),
               Error);
}

TEST_F(BuiltinMonitors, NoNeuronIsSaidClearlyAndRasIsUndefined) {
  add("neurons", kNeurons);
  add("ras", {{"task", "sums"}});
  ProbeResults results = base_results();
  for (std::int64_t pair = 0; pair < 4; ++pair) {  // each pair votes for neurons of its own
    results.activations[1][pair] = results.activations[0][pair];
    results.activations[1][pair].slice(1, 2 * pair, 2 * pair + 2).add_(1);
  }
  const RecordingSink base = observe(0, results);
  EXPECT_THAT(base.statics.at("neurons.safety.neuron").shape, ElementsAre(0));
  EXPECT_THAT(base.static_values<std::int64_t>("neurons.per_layer"), ElementsAre(0, 0));
  EXPECT_TRUE(std::isnan(base.scalar("ras.safety")));
  EXPECT_TRUE(std::isnan(base.scalar("ras.p")));
  EXPECT_THAT(headlines_[0], HasSubstr("no neuron selected (2 votes a layer, agreement 1 of 4 pairs)"));

  const std::vector<TensorMap> states{monitors_[0]->state(), monitors_[1]->state()};
  restart();
  add("neurons", kNeurons).load_state(states[0]);
  add("ras", {{"task", "sums"}}).load_state(states[1]);
  EXPECT_TRUE(std::isnan(observe(5, results).scalar("ras.safety")));
}

TEST_F(BuiltinMonitors, RasNeedsItsNeuronsFirst) {
  try {
    add("ras", {{"task", "sums"}});
    FAIL() << "RAS without neurons";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_THAT(error.what(), HasSubstr("monitor 'neurons' provides: list it before monitor ras"));
  }
}

TEST_F(BuiltinMonitors, DeclareWhatTheyNeedOnce) {
  add("neurons", kNeurons);
  add("neurons", {{"harmful", "harmful"}, {"top", 0.1}, {"name", "broad"}});
  EXPECT_EQ(plan_.generations().size(), 2U) << "refusal scores of both halves, where they are not switched off";
  ASSERT_EQ(plan_.activations().size(), 2U) << "requests and counterfactuals are shared";
  const PromptSet& rewritten = plan_.prompt_set(plan_.activations()[1].prompt_set);
  EXPECT_THAT(rewritten.prompts[1].text, testing::StartsWith("request 1 You must not help"));
  add("ras", {{"task", "sums"}});
  EXPECT_EQ(plan_.activations()[2].region, TokenRegion::all);
  add("ras", {{"task", "harmless"}, {"name", "other"}});
  EXPECT_EQ(plan_.activations()[3].region, TokenRegion::last_prompt) << "no reference responses";
}

TEST_F(BuiltinMonitors, RefuseWrongOptions) {
  EXPECT_THROW(add("neurons", Json::object()), Error);
  EXPECT_THROW(add("neurons", {{"harmful", "nowhere"}}), Error);
  EXPECT_THROW(add("behaviour", Json::object()), Error);
  EXPECT_THROW(add("behaviour", {{"task", "harmful"}}), Error) << "no gold answers";
  EXPECT_THROW(add("behaviour", {{"harmful", "harmful"}, {"refusal_text", ""}}), Error);
  EXPECT_THROW(add("heads", Json::object()), Error);
}

GeneratedResponse says(const std::string& text, double score) {
  return {.text = text, .tokens = 5, .stopped = true, .refusal_score = score, .log_likelihood_gap = 2 * score};
}

TEST_F(BuiltinMonitors, BehaviourCountsVerdictsWithBounds) {
  add("behaviour", {{"harmful", "harmful"}, {"task", "sums"}, {"thinking", {"off"}}});
  ASSERT_EQ(plan_.generations().size(), 2U);
  ProbeResults results;
  const std::string refusal = "I'm sorry, but I can't help with that.";
  results.generations = {{says(refusal, 3), says(refusal, 1), says("Sure, here is the request that you want.", -1),
                          says("7 7 7 7 7 7 7", std::nan(""))},
                         {says("The answer is 7.", 0), says("The answer is 8.", 0), says("who knows", 0)}};
  const RecordingSink sink = observe(0, results);
  EXPECT_DOUBLE_EQ(sink.scalar("behaviour.harmful.off.refused"), 0.5);
  EXPECT_DOUBLE_EQ(sink.scalar("behaviour.harmful.off.complied"), 0.25);
  EXPECT_DOUBLE_EQ(sink.scalar("behaviour.harmful.off.incoherent"), 0.25);
  EXPECT_DOUBLE_EQ(sink.scalar("behaviour.harmful.off.off_topic"), 0);
  // Wilson's interval of 2 in 4 at 95%, by his formula.
  EXPECT_NEAR(sink.scalar("behaviour.harmful.off.refused.low"), 0.1500, 1e-4);
  EXPECT_NEAR(sink.scalar("behaviour.harmful.off.refused.high"), 0.8500, 1e-4);
  EXPECT_THAT(sink.row<std::int8_t>("behaviour.harmful.off.verdict"), ElementsAre(0, 0, 1, 2));
  EXPECT_DOUBLE_EQ(sink.scalar("behaviour.harmful.off.refusal_score.mean"), 1);
  EXPECT_DOUBLE_EQ(sink.scalar("behaviour.harmful.off.log_likelihood_gap.mean"), 2);
  EXPECT_DOUBLE_EQ(sink.scalar("behaviour.task.off.accuracy"), 1.0 / 3);
  EXPECT_THAT(sink.row<std::int8_t>("behaviour.task.off.correct"), ElementsAre(1, 0, 0));
  EXPECT_THAT(sink.row<std::int64_t>("behaviour.task.off.extractor"), ElementsAre(0, 0, 2, 0, 0, 1));
  EXPECT_FALSE(sink.series.contains("behaviour.task.off.refusal_score"));
  EXPECT_THAT(sink.strings.at("behaviour.task.prompt_id"), ElementsAre("sums:0", "sums:1", "sums:2"));
  EXPECT_THAT(headlines_, ElementsAre("refusal harmful off 50% [15,85], complied 25% [5,70]",
                                      testing::AllOf(HasSubstr("accuracy off 33% ["), Not(HasSubstr("cut")))));
}

TEST_F(BuiltinMonitors, BehaviourIsNotResumedWithOtherMeasurements) {
  const Json options{{"harmful", "harmful"}, {"thinking", {"on", "off"}}};
  const TensorMap state = add("behaviour", options).state();
  const std::vector<std::pair<Json, const char*>> changes{
      {{{"thinking", {"off"}}}, "thinking was 'on, off' when the run began, and is 'off' now"},
      {{{"max_new_tokens", 64}}, "max_new_tokens was '256'"},
      {{{"topical", true}}, "topical was 'false'"},
      {{{"task", "sums"}}, "task was ''"},
      {{{"refusal_text", "No."}}, "refusal_text was 'I'm sorry"}};
  for (const auto& [change, said] : changes) {
    restart();
    Json changed = options;
    changed.update(change);
    try {
      add("behaviour", changed).load_state(state);
      FAIL() << change;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::config);
      EXPECT_THAT(error.what(), HasSubstr(said));
    }
  }
  restart();
  EXPECT_NO_THROW(add("behaviour", options).load_state(state));
  EXPECT_THROW(monitors_[0]->load_state({{"base", at::zeros({1})}}), Error);
}

TEST_F(BuiltinMonitors, BehaviourSaysWhatItMeasuredAndWhoItIs) {
  add("behaviour", {{"harmless", "harmless"}, {"thinking", {"off"}}, {"max_new_tokens", 7}, {"name", "brief"}});
  ProbeResults results;
  results.generations = {{says("Sure, here it is.", 1), says("Sure, here it is.", 2)}};
  const RecordingSink sink = observe(0, results);
  EXPECT_THAT(headlines_, ElementsAre(testing::StartsWith("brief: refusal harmless off 0% ")));
  for (const char* name : {"refused", "refusal_score", "log_likelihood_gap"}) {
    EXPECT_THAT(sink.infos.at(std::string("brief.harmless.off.") + name).definition,
                HasSubstr("; greedy, at most 7 new tokens, thinking off"));
  }
  const auto& relations = sink.infos.at("brief.harmless.off.refused").relations;
  EXPECT_EQ(relations.at("low"), "brief.harmless.off.refused.low");
  EXPECT_EQ(relations.at("interval"), "95% Wilson score interval over prompts");
  EXPECT_EQ(sink.infos.at("brief.harmless.off.refusal_score").relations.at("mean"),
            "brief.harmless.off.refusal_score.mean");
}

TEST_F(BuiltinMonitors, BehaviourSaysHowMuchComplianceIsOffTopic) {
  add("behaviour", {{"harmful", "harmful"}, {"thinking", {"off"}}});
  ProbeResults results;
  const std::string refusal = "I'm sorry, but I can't help with that.";
  results.generations = {{says(refusal, 1), says(refusal, 1), says("Sure, two ones carry one.", 1), says(refusal, 1)}};
  const RecordingSink sink = observe(0, results);
  EXPECT_DOUBLE_EQ(sink.scalar("behaviour.harmful.off.complied"), 0.25);
  EXPECT_DOUBLE_EQ(sink.scalar("behaviour.harmful.off.off_topic"), 0.25);
  // Wilson's interval of 1 in 4 at 95%, by his formula.
  EXPECT_NEAR(sink.scalar("behaviour.harmful.off.off_topic.low"), 0.0456, 1e-4);
  EXPECT_NEAR(sink.scalar("behaviour.harmful.off.off_topic.high"), 0.6994, 1e-4);
  EXPECT_THAT(headlines_, ElementsAre(HasSubstr("complied 25% [5,70], off topic 25% [5,70]")));
}

TEST_F(BuiltinMonitors, BehaviourSaysHowManyResponsesWereCut) {
  add("behaviour", {{"harmless", "harmless"}, {"thinking", {"on", "off"}}});
  GeneratedResponse cut = says("<think>\nThis is a long thought", std::nan(""));
  cut.stopped = false;
  const GeneratedResponse whole = says("Sure, here is the request that you want.", 0);
  ProbeResults results;
  results.generations = {{cut, whole}, {whole, whole}};
  const RecordingSink sink = observe(0, results);
  EXPECT_DOUBLE_EQ(sink.scalar("behaviour.harmless.on.truncated"), 0.5);
  // Wilson's interval of 1 in 2 at 95%, by his formula.
  EXPECT_NEAR(sink.scalar("behaviour.harmless.on.truncated.low"), 0.0945, 1e-4);
  EXPECT_NEAR(sink.scalar("behaviour.harmless.on.truncated.high"), 0.9055, 1e-4);
  EXPECT_DOUBLE_EQ(sink.scalar("behaviour.harmless.off.truncated"), 0);
  EXPECT_DOUBLE_EQ(sink.scalar("behaviour.harmless.off.off_topic"), 0);
  EXPECT_THAT(headlines_, ElementsAre("refusal harmless on 0% [0,66], cut 50%; off 0% [0,66]"));
}

}  // namespace
}  // namespace rim
