#include "monitors/core/run_observer.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "data/support/error.h"
#include "monitors/core/base_conditions.h"
#include "monitors/core/record_sink.h"

namespace rim {
namespace {

std::string joined(const std::vector<std::string>& headlines) {
  std::string line;
  for (const std::string& headline : headlines) line += (line.empty() ? "" : " | ") + headline;
  return line;
}

// "3.neurons" -> 3; the key behind the dot is left to the monitor.
std::size_t monitor_index(const std::string& key, std::size_t monitors) {
  std::size_t index = 0;
  const auto [end, failure] = std::from_chars(key.data(), key.data() + key.size(), index);
  if (failure != std::errc() || end == key.data() + key.size() || *end != '.') {
    throw Error(ExitCode::bad_data, "the checkpoint's monitor state has a key '" + key + "' of an unknown form");
  }
  if (index >= monitors) {
    throw Error(ExitCode::config, "the checkpoint remembers monitor number " + std::to_string(index + 1) +
                                      ", and the configuration lists " + std::to_string(monitors) +
                                      ": resume with the monitors that the run began with");
  }
  return index;
}

// Beside the monitors' own keys: what all of them measure.
constexpr const char* kPromptSetsKey = "prompt_sets";

BaseConditions prompt_conditions(const ProbePlan& plan) {
  BaseConditions conditions;
  for (const auto& [name, set] : plan.prompt_sets()) {
    conditions["prompt set '" + name + "'"] =
        std::to_string(set.prompts.size()) + " prompts, sha256 " + digest_of(set).substr(0, 16);
  }
  return conditions;
}

}  // namespace

RunObserver::RunObserver(std::vector<std::unique_ptr<Monitor>> monitors, std::map<std::string, PromptSet> prompt_sets,
                         ProbeRunner runner, Communicator& communicator, Recorder* recorder,
                         std::function<void(const std::string&)> announce)
    : monitors_(std::move(monitors)),
      runner_(std::move(runner)),
      communicator_(communicator),
      recorder_(recorder),
      announce_(std::move(announce)) {
  for (auto& [name, set] : prompt_sets) {
    set.name = name;
    base_plan_.add_prompt_set(std::move(set));
  }
  static_cast<void>(declared());  // what cannot be asked for is known before anything is trained
}

ProbePlan RunObserver::declared() {
  ProbePlan plan = base_plan_;
  for (const auto& monitor : monitors_) monitor->declare(plan);
  return plan;
}

bool RunObserver::committed_already(std::int64_t step) {
  double committed = 0;
  communicator_.together("read the recorded steps", [&] {
    if (recorder_ == nullptr) return;
    const std::vector<std::int64_t> steps = recorder_->committed_steps();
    if (std::ranges::find(steps, step) != steps.end()) committed = 1;
  });
  return communicator_.sum(committed, "recorded step") > 0;
}

void RunObserver::at_checkpoint(const Decoder& model, std::int64_t step, std::int64_t tokens) {
  const auto start = std::chrono::steady_clock::now();
  if (committed_already(step)) return;
  std::vector<std::string> headlines;
  observe(model, step, headlines);
  communicator_.together("record step " + std::to_string(step), [&] {
    if (recorder_ != nullptr) recorder_->commit(step, tokens);
  });
  if (communicator_.rank() == 0 && announce_ && !headlines.empty()) {
    announce_("step " + std::to_string(step) + ": " + joined(headlines));
  }
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void RunObserver::observe(const Decoder& model, std::int64_t step, std::vector<std::string>& headlines) {
  ProbePlan plan;
  communicator_.together("declare the probes of step " + std::to_string(step), [&] { plan = declared(); });
  const ProbeResults results = runner_.run(model, plan, communicator_);
  communicator_.together("observe step " + std::to_string(step), [&] {
    SharedTensors shared;
    ObservationSink sink(recorder_);
    Observation observation{.step = step, .results = results, .shared = shared, .sink = sink, .headlines = headlines};
    for (const auto& monitor : monitors_) monitor->observe(observation);
  });
}

TensorMap RunObserver::state() const {
  TensorMap state;
  if (!monitors_.empty()) state[kPromptSetsKey] = pack_conditions(prompt_conditions(base_plan_));
  for (std::size_t i = 0; i < monitors_.size(); ++i) {
    for (auto& [key, value] : monitors_[i]->state()) state[std::to_string(i) + "." + key] = value;
  }
  return state;
}

void RunObserver::load_state(const TensorMap& state) {
  std::vector<TensorMap> parts(monitors_.size());
  for (const auto& [key, value] : state) {
    if (key == kPromptSetsKey) {
      require_same_conditions(value, prompt_conditions(base_plan_));
      continue;
    }
    parts[monitor_index(key, monitors_.size())][key.substr(key.find('.') + 1)] = value;
  }
  for (std::size_t i = 0; i < monitors_.size(); ++i) {
    with_context("monitor number " + std::to_string(i + 1), [&] { monitors_[i]->load_state(parts[i]); });
  }
}

}  // namespace rim
