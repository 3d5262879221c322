// The RAS monitor alone: the neuron sets and their activations are shared by hand.
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/support/error.h"
#include "monitors/builtin/builtin_monitors.h"
#include "tests/monitors/builtin/recording_sink.h"

namespace rim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

PromptSet task_prompts() {
  PromptSet set{.name = "sums", .prompts = {}};
  set.prompts.push_back({.id = "s", .text = "3+4?", .reasoning = "", .response = "7", .answer = "7"});
  return set;
}

// One layer of five neurons: the first two are safety-critical, two draws of two others are controls.
class Watching {
 public:
  explicit Watching(Json options = Json::object()) {
    ModelConfig model;
    model.layers = 1;
    model.intermediate_size = 5;
    options["task"] = "sums";
    MonitorRegistry registry;
    register_builtin_monitors(registry);
    monitor = registry.make("ras", options, {.model = model, .seed = 1});
    plan.add_prompt_set(task_prompts());
    for (const char* name : {"neurons", "others"})
      plan.provide(name, "set 'harmful', region 'last_prompt', thinking off");
    monitor->declare(plan);
  }

  RecordingSink observe(std::int64_t step, const std::vector<float>& harmful, const std::vector<float>& task) {
    const at::Tensor safety = at::tensor(std::vector<std::int64_t>{0, 1});
    const at::Tensor control = at::tensor(std::vector<std::int64_t>{2, 3, 3, 4}).view({2, 2});
    const at::Tensor activations = at::tensor(harmful);
    SharedTensors shared;
    shared.put("neurons.safety.index", safety);
    shared.put("neurons.control.index", control);
    shared.put("neurons.safety.activation", activations.index_select(0, safety));
    shared.put("neurons.control.activation", activations.index_select(0, control.flatten()).view({2, 2}));
    ProbeResults results;
    results.activations = {at::tensor(task).view({1, 1, 5})};
    RecordingSink sink;
    std::vector<std::string> headlines;
    Observation observation{.step = step, .results = results, .shared = shared, .sink = sink, .headlines = headlines};
    monitor->observe(observation);
    return sink;
  }

  ProbePlan plan;
  std::unique_ptr<Monitor> monitor;
};

const std::vector<float> kHarmful{3, -5, 0.5F, -0.5F, 0.25F}, kTask{1, 1, 0.5F, 0.5F, -1};

TEST(RasMonitor, SaysHowLargeTheSetsWereInTheBaseModel) {
  Watching before;
  const RecordingSink base = before.observe(0, kHarmful, kTask);
  EXPECT_THAT(base.static_values<double>("ras.safety.harmful_magnitude"), ElementsAre(4));
  EXPECT_THAT(base.static_values<double>("ras.control.harmful_magnitude"), ElementsAre(0.5, 0.375));
  EXPECT_THAT(base.static_values<double>("ras.safety.task_magnitude"), ElementsAre(1));
  EXPECT_THAT(base.static_values<double>("ras.control.task_magnitude"), ElementsAre(0.5, 0.75));
  EXPECT_TRUE(before.observe(5, kTask, kHarmful).statics.empty());

  Watching resumed;
  resumed.monitor->load_state(before.monitor->state());
  const RecordingSink again = resumed.observe(10, kTask, kHarmful);
  EXPECT_THAT(again.static_values<double>("ras.safety.harmful_magnitude"), ElementsAre(4)) << "the base's, not now's";
}

TEST(RasMonitor, IsNotResumedWithOtherMeasurements) {
  Watching before(Json::object({{"region", "auto"}}));
  before.observe(0, kHarmful, kTask);
  const TensorMap state = before.monitor->state();
  const std::vector<std::pair<Json, const char*>> changes{
      {{{"region", "prompt"}}, "region was 'all' when the run began, and is 'prompt' now"},
      {{{"thinking", "off"}}, "thinking was 'on'"},
      {{{"neurons", "others"}}, "neurons was 'neurons'"},
      {{{"normalise", "base"}}, "normalise was 'none'"}};
  for (const auto& [options, said] : changes) {
    try {
      Watching(options).monitor->load_state(state);
      FAIL() << options;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::config);
      EXPECT_THAT(error.what(), HasSubstr(said));
    }
  }
  EXPECT_NO_THROW(Watching(Json::object({{"region", "all"}})).monitor->load_state(state)) << "what auto came to";
}

TEST(RasMonitor, DefinitionsSayWhatWasComputed) {
  const auto definition = [](const Json& options) {
    return Watching(options).observe(0, kHarmful, kTask).infos.at("ras.safety.d_safe").definition;
  };
  const std::string harmful = "on harmful requests (set 'harmful', region 'last_prompt', thinking off), not clipped";
  EXPECT_EQ(definition(Json::object()), "base - now of the set's mean activation " + harmful);
  EXPECT_EQ(definition({{"normalise", "base"}}), "base - now of the set's mean activation " + harmful +
                                                     ", over the set's mean absolute activation in the base model");
  EXPECT_EQ(definition({{"aggregate", "neuron"}}),
            "mean over the set of each neuron's base - now of the activation " + harmful);
  EXPECT_EQ(definition({{"aggregate", "neuron"}, {"normalise", "base"}}),
            "mean over the set of each neuron's base - now of the activation " + harmful +
                ", each over the neuron's own absolute activation in the base model");
  const auto infos = Watching().observe(0, kHarmful, kTask).infos;
  const std::string task = "set 'sums', region 'all', thinking on";
  EXPECT_THAT(infos.at("ras.safety").definition, testing::EndsWith("on the task (" + task + "), not clipped"));
  EXPECT_THAT(infos.at("ras.control.task_activation").definition, testing::EndsWith("; " + task));
  EXPECT_EQ(infos.at("ras.safety.d_task").relations.at("null"), "ras.control.d_task");
}

}  // namespace
}  // namespace rim
