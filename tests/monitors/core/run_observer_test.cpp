#include "monitors/core/run_observer.h"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/support/error.h"
#include "monitors/recorder/run_reader.h"
#include "tests/monitors/core/bare_prompt.h"
#include "tests/monitors/core/solo_communicator.h"
#include "tests/monitors/core/tiny_model.h"

namespace rim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Records the largest activation of its prompts; remembers the first one it saw.
class LargestActivation : public Monitor {
 public:
  LargestActivation(std::string name, int* observed) : name_(std::move(name)), observed_(observed) {}
  void declare(ProbePlan& plan) override { handle_ = plan.request(ActivationRequest{.prompt_set = "p"}); }
  void observe(Observation& observation) override {
    ++*observed_;
    const double largest = observation.results.activations[handle_].max().item<double>();
    if (!base_.defined()) base_ = at::tensor(largest, at::kDouble);
    observation.sink.append(name_, scalar_array(largest), {"largest activation", "activation", "max", {}});
    observation.headlines.push_back(name_ + " seen");
  }
  [[nodiscard]] TensorMap state() const override { return base_.defined() ? TensorMap{{"base", base_}} : TensorMap{}; }
  void load_state(const TensorMap& state) override {
    if (state.contains("base")) base_ = state.at("base");
  }
  at::Tensor base_;

 private:
  std::string name_;
  int* observed_;
  std::size_t handle_ = 0;
};

class Observing : public testing::Test {
 protected:
  static PromptSet two_prompts() {
    return {.name = "p", .prompts = {bare_prompt("a", "one"), bare_prompt("b", "two")}};
  }

  RunObserver observer(Recorder* recorder, const std::vector<std::string>& names = {"first", "second"},
                       const std::map<std::string, PromptSet>& sets = {{"p", two_prompts()}}) {
    std::vector<std::unique_ptr<Monitor>> monitors;
    for (const std::string& name : names) monitors.push_back(std::make_unique<LargestActivation>(name, &observed_));
    return {std::move(monitors), sets,     ProbeRunner(model_.tokenizer, model_.chat_template, {}),
            communicator_,       recorder, [this](const std::string& line) { lines_.push_back(line); }};
  }

  TinyModel model_{"rimscope-run-observer-test"};
  std::filesystem::path file_ = model_.folder / "run.h5";
  Provenance provenance_{.run_id = "r", .config = "", .facts = {}};
  SoloCommunicator communicator_;
  std::vector<std::string> lines_;
  int observed_ = 0;
};

TEST_F(Observing, RecordsCommitsAndAnnounces) {
  Recorder recorder = Recorder::create(file_, provenance_);
  RunObserver watching = observer(&recorder);
  watching.at_checkpoint(model_.decoder, 0, 0);
  watching.at_checkpoint(model_.decoder, 20, 1000);
  recorder.close();
  EXPECT_THAT(RunReader(file_).steps(), ElementsAre(0, 20));
  EXPECT_EQ(RunReader(file_).series("second").values.size(), 2U);
  EXPECT_THAT(lines_, ElementsAre("step 0: first seen | second seen", "step 20: first seen | second seen"));
  EXPECT_GT(watching.seconds(), 0);
}

TEST_F(Observing, SkipsCommittedSteps) {
  Recorder recorder = Recorder::create(file_, provenance_);
  RunObserver watching = observer(&recorder);
  watching.at_checkpoint(model_.decoder, 0, 0);
  watching.at_checkpoint(model_.decoder, 5, 100);
  const int before = observed_;
  watching.at_checkpoint(model_.decoder, 5, 100);
  watching.at_checkpoint(model_.decoder, 0, 0);
  EXPECT_EQ(observed_, before);
  EXPECT_THAT(recorder.committed_steps(), ElementsAre(0, 5));
}

TEST_F(Observing, StateIsKeptByMonitor) {
  RunObserver watching = observer(nullptr);
  EXPECT_THAT(watching.state(), ElementsAre(testing::Key("prompt_sets")));
  watching.at_checkpoint(model_.decoder, 0, 0);
  const TensorMap state = watching.state();
  EXPECT_THAT(state, ElementsAre(testing::Key("0.base"), testing::Key("1.base"), testing::Key("prompt_sets")));
  RunObserver resumed = observer(nullptr);
  resumed.load_state(state);
  EXPECT_EQ(resumed.state().at("1.base").item<double>(), state.at("1.base").item<double>());
}

TEST_F(Observing, RefusesOtherPromptsThanTheRunBeganWith) {
  const TensorMap state = observer(nullptr).state();
  EXPECT_NO_THROW(observer(nullptr).load_state(state));
  const auto resumed_with = [&](const PromptSet& set) -> std::string {
    try {
      observer(nullptr, {"first"}, {{"p", set}, {"new", set}}).load_state(state);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::config);
      return error.what();
    }
    return "";
  };
  PromptSet prompts = two_prompts();
  EXPECT_EQ(resumed_with(prompts), "") << "another set beside it changes nothing";
  prompts.prompts[1].response = "a reference";
  EXPECT_THAT(resumed_with(prompts), HasSubstr("prompt set 'p' was '2 prompts, sha256 "));
  prompts.prompts.pop_back();
  EXPECT_THAT(resumed_with(prompts), HasSubstr("when the run began, and is '1 prompts, sha256 "));
}

TEST_F(Observing, RefusesAForeignState) {
  RunObserver watching = observer(nullptr);
  try {
    watching.load_state({{"2.base", at::zeros({1})}});
    FAIL() << "there is no third monitor";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_THAT(error.what(), HasSubstr("remembers monitor number 3, and the configuration lists 2"));
  }
  EXPECT_THROW(watching.load_state({{"base", at::zeros({1})}}), Error);
  EXPECT_THROW(watching.load_state({{"7", at::zeros({1})}}), Error);
}

// Asks for a second measurement once it has seen the base model.
class Curious : public Monitor {
 public:
  explicit Curious(std::vector<std::size_t>* results) : results_(results) {}
  void declare(ProbePlan& plan) override {
    plan.request(ActivationRequest{.prompt_set = "p"});
    if (!seen_) return;
    plan.request(
        ActivationRequest{.prompt_set = "p", .intervention = {.neurons = {{.layer = 0, .neuron = 1}}, .scale = 0}});
  }
  void observe(Observation& observation) override {
    results_->push_back(observation.results.activations.size());
    seen_ = true;
  }
  [[nodiscard]] TensorMap state() const override { return {{"seen", at::tensor(seen_ ? 1.0 : 0.0)}}; }
  void load_state(const TensorMap& state) override { seen_ = state.at("seen").item<double>() > 0; }

 private:
  bool seen_ = false;
  std::vector<std::size_t>* results_;
};

TEST_F(Observing, AMonitorMayAskForWhatItFoundInTheBaseModel) {
  std::vector<std::size_t> results;
  const auto watch = [&] {
    std::vector<std::unique_ptr<Monitor>> monitors;
    monitors.push_back(std::make_unique<Curious>(&results));
    return RunObserver(std::move(monitors), {{"p", two_prompts()}},
                       ProbeRunner(model_.tokenizer, model_.chat_template, {}), communicator_, nullptr, {});
  };
  RunObserver watching = watch();
  watching.at_checkpoint(model_.decoder, 0, 0);
  watching.at_checkpoint(model_.decoder, 5, 0);
  RunObserver resumed = watch();
  resumed.load_state(watching.state());
  resumed.at_checkpoint(model_.decoder, 10, 0);
  EXPECT_THAT(results, ElementsAre(1, 2, 2));
}

TEST_F(Observing, TwoMonitorsMayNotShareASeries) {
  Recorder recorder = Recorder::create(file_, provenance_);
  RunObserver watching = observer(&recorder, {"same", "same"});
  try {
    watching.at_checkpoint(model_.decoder, 0, 0);
    FAIL() << "one series, two writers";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("two monitors record 'same'"));
  }
  EXPECT_TRUE(recorder.committed_steps().empty());
}

TEST(Registry, NamesItsKinds) {
  MonitorRegistry registry;
  registry.add({.kind = "one", .help = "", .options = {}, .make = {}});
  EXPECT_THROW(registry.add({.kind = "one", .help = "", .options = {}, .make = {}}), Error);
  const ModelConfig config;
  try {
    static_cast<void>(registry.make("two", Json::object(), {.model = config}));
    FAIL() << "no such kind";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "no monitor kind is called 'two': there are one");
  }
}

}  // namespace
}  // namespace rim
