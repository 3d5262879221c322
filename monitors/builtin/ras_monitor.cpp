#include <utility>

#include "data/support/error.h"
#include "monitors/builtin/builtin_monitors.h"
#include "monitors/builtin/option_specs.h"
#include "monitors/builtin/ras_records.h"
#include "monitors/builtin/three_digits.h"
#include "monitors/core/base_conditions.h"
#include "monitors/statistics/statistics.h"

namespace rim {
namespace {

struct RasOptions {
  std::string name, neurons, task, region;
  ThinkingMode thinking = ThinkingMode::on;
  RasRule rule;
  BaseConditions conditions;  // the options that say what is measured, but the region
};

RasOptions read_options(const Json& json) {
  const std::string origin = "monitor ras";
  RasOptions options;
  options.name = json_string(json, "name", origin);
  options.neurons = json_string(json, "neurons", origin);
  options.task = json_string(json, "task", origin);
  options.region = json_string(json, "region", origin);
  options.thinking = parse_thinking_mode(json_string(json, "thinking", origin));
  if (json_string(json, "negative", origin) == "signed") options.rule.negative = NegativeShift::keep_signed;
  if (json_string(json, "normalise", origin) == "base") options.rule.scale = ShiftScale::base;
  if (json_string(json, "aggregate", origin) == "neuron") options.rule.level = ShiftLevel::neuron;
  const std::string mean = json_string(json, "mean", origin);
  if (mean == "geometric") options.rule.mean = ShiftMean::geometric;
  if (mean == "minimum") options.rule.mean = ShiftMean::minimum;
  for (const char* key : {"neurons", "task", "thinking", "normalise", "negative", "aggregate", "mean"}) {
    options.conditions[key] = json_string(json, key, origin);
  }
  return options;
}

std::vector<std::string> region_choices() {
  std::vector<std::string> choices = token_region_names();
  choices.insert(choices.begin(), "auto");
  return choices;
}

// `auto`: the worked answer is what a task's activation is about; without one, only the prompt's end is left.
TokenRegion task_region(const std::string& name, const PromptSet& task) {
  if (name != "auto") return parse_token_region(name);
  for (const Prompt& prompt : task.prompts) {
    if (prompt.response.empty()) return TokenRegion::last_prompt;
  }
  return TokenRegion::all;
}

class RasMonitor : public Monitor {
 public:
  explicit RasMonitor(RasOptions options) : options_(std::move(options)) {}

  void declare(ProbePlan& plan) override {
    method_.name = options_.name;
    method_.rule = options_.rule;
    method_.harmful = plan.require(options_.neurons, "monitor " + options_.name);
    region_ = task_region(options_.region, plan.prompt_set(options_.task));
    handle_ = plan.request(ActivationRequest{.prompt_set = options_.task,
                                             .site = TapSite::neurons,
                                             .region = region_,
                                             .thinking = options_.thinking,
                                             .intervention = {}});
    method_.task =
        "set '" + options_.task + "', region '" + to_string(region_) + "', thinking " + to_string(options_.thinking);
  }

  void observe(Observation& observation) override {
    const RasActivations safety = now("safety", observation), control = now("control", observation);
    if (!safety_base_.safety.defined()) remember_base(safety, control, observation.step);
    if (!std::exchange(base_written_, true)) {
      write_base_magnitudes(method_, false, safety_base_, observation.sink);
      write_base_magnitudes(method_, true, control_base_, observation.sink);
    }
    const RasColumns selected = columns(safety_base_, safety), draws = columns(control_base_, control);
    record_ras(method_, false, safety.task.squeeze(0), selected, observation.sink);
    record_ras(method_, true, control.task, draws, observation.sink);
    const double ras = selected.ras.front();
    const double p = empirical_p_value(ras, draws.ras);
    record_p(method_, p, observation.sink);
    const std::string label = options_.name == "ras" ? "RAS" : options_.name;
    observation.headlines.push_back(label + " safety " + three_digits(ras) + " vs control median " +
                                    three_digits(control_spread(draws.ras).median) + " (p " + three_digits(p) + ")");
  }

  [[nodiscard]] TensorMap state() const override {
    if (!safety_base_.safety.defined()) return {};
    return {{"safety.safety", safety_base_.safety},
            {"safety.task", safety_base_.task},
            {"control.safety", control_base_.safety},
            {"control.task", control_base_.task},
            {"conditions", pack_conditions(conditions())}};
  }

  void load_state(const TensorMap& state) override {
    require_known(state, options_.name);
    const auto part = [&](const char* key, std::int64_t dimensions = 2) {
      const auto found = state.find(key);
      if (found == state.end() || found->second.dim() != dimensions ||
          found->second.scalar_type() != (dimensions == 2 ? at::kFloat : at::kByte)) {
        throw Error(ExitCode::bad_data, "the checkpoint's state is not that of a RAS monitor");
      }
      return found->second.contiguous();
    };
    require_same_conditions(part("conditions", 1), conditions());
    safety_base_ = {.safety = part("safety.safety"), .task = part("safety.task")};
    control_base_ = {.safety = part("control.safety"), .task = part("control.task")};
    for (const RasActivations* base : {&safety_base_, &control_base_}) {
      if (base->safety.sizes() == base->task.sizes()) continue;
      throw Error(ExitCode::bad_data, "the checkpoint's state is not that of a RAS monitor");
    }
  }

 private:
  [[nodiscard]] BaseConditions conditions() const {
    BaseConditions conditions = options_.conditions;
    conditions["region"] = to_string(region_);  // of `auto`, what it came to
    return conditions;
  }

  // `kind`: safety or control.
  [[nodiscard]] RasActivations now(const std::string& kind, const Observation& observation) const {
    const std::string who = "monitor " + options_.name;
    const at::Tensor& index = observation.shared.get(options_.neurons + "." + kind + ".index", who);
    const at::Tensor& safety = observation.shared.get(options_.neurons + "." + kind + ".activation", who);
    const at::Tensor task =
        observation.results.activations[handle_].mean(0, false, at::kDouble).to(at::kFloat).flatten();
    const std::int64_t neurons = index.size(-1), sets = index.dim() == 2 ? index.size(0) : 1;
    return {.safety = safety.reshape({sets, neurons}).contiguous(),
            .task = task.index_select(0, index.flatten()).reshape({sets, neurons}).contiguous()};
  }

  void remember_base(const RasActivations& safety, const RasActivations& control, std::int64_t step) {
    if (step != 0) {
      throw Error(ExitCode::config, "monitor " + options_.name +
                                        ": the base model's activations are not known at step " + std::to_string(step) +
                                        ": the run must have this monitor from its first step on");
    }
    safety_base_ = safety;
    control_base_ = control;
  }

  [[nodiscard]] RasColumns columns(const RasActivations& base, const RasActivations& current) const {
    if (base.safety.sizes() != current.safety.sizes()) {
      throw Error(ExitCode::bad_data, "monitor " + options_.name +
                                          ": the base activations in the checkpoint belong to " +
                                          "other neuron sets than those of monitor " + options_.neurons);
    }
    RasColumns columns;
    for (std::int64_t set = 0; set < current.safety.size(0); ++set) {
      const RasValue value = reciprocal_activation_shift({.safety_base = row_of(base.safety, set),
                                                          .safety_now = row_of(current.safety, set),
                                                          .task_base = row_of(base.task, set),
                                                          .task_now = row_of(current.task, set)},
                                                         options_.rule);
      columns.ras.push_back(value.ras);
      columns.d_safe.push_back(value.d_safe);
      columns.d_task.push_back(value.d_task);
    }
    return columns;
  }

  RasOptions options_;
  RasMethod method_;
  TokenRegion region_ = TokenRegion::all;
  std::size_t handle_ = 0;
  RasActivations safety_base_, control_base_;
  bool base_written_ = false;  // by this process
};

}  // namespace

MonitorKind ras_kind() {
  MonitorKind kind;
  kind.kind = "ras";
  kind.help =
      "Reciprocal Activation Shift of the safety-critical neurons between refusing and a task, and of the controls";
  kind.options = {
      string_option("name", "ras", "prefix of the recorded series"),
      string_option("neurons", "neurons", "name of the neurons monitor whose sets are used; it comes before this one"),
      required_string_option("task", "prompt set of the task that is trained"),
      choice_option("region", "auto", region_choices(),
                    "task positions that activations are averaged over; auto: all, last_prompt without responses"),
      choice_option("thinking", "on", kThinkingNames, "how the task's prompts and responses are rendered"),
      choice_option("normalise", "none", {"none", "base"},
                    "base: shifts over the mean absolute activation in the base model, of the set or of each neuron as "
                    "in aggregate"),
      choice_option("negative", "clip", {"clip", "signed"}, "clip: a shift in the other direction counts as zero"),
      choice_option("aggregate", "set", {"set", "neuron"},
                    "set: RAS of the set's mean activation; neuron: mean of the neurons' RAS"),
      choice_option("mean", "harmonic", {"harmonic", "geometric", "minimum"}, "how the two shifts are joined"),
  };
  kind.make = [](const Json& options, const MonitorContext&) -> std::unique_ptr<Monitor> {
    return std::make_unique<RasMonitor>(read_options(options));
  };
  return kind;
}

}  // namespace rim
