#include <utility>

#include "data/support/error.h"
#include "monitors/builtin/builtin_monitors.h"
#include "monitors/builtin/option_specs.h"
#include "monitors/builtin/ras.h"
#include "monitors/builtin/three_digits.h"
#include "monitors/core/arrays.h"
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

std::span<const float> row(const at::Tensor& values, std::int64_t index) {
  const auto width = static_cast<std::size_t>(values.size(1));
  return {values.const_data_ptr<float>() + static_cast<std::size_t>(index) * width, width};
}

// Activations of one kind of sets: fp32 [sets, neurons], contiguous.
struct Activations {
  at::Tensor safety, task;
};

struct RasColumns {
  std::vector<double> ras, d_safe, d_task;  // one per set
};

class RasMonitor : public Monitor {
 public:
  explicit RasMonitor(RasOptions options) : options_(std::move(options)) {}

  void declare(ProbePlan& plan) override {
    plan.require(options_.neurons, "monitor " + options_.name);
    region_ = task_region(options_.region, plan.prompt_set(options_.task));
    handle_ = plan.request(ActivationRequest{.prompt_set = options_.task,
                                             .site = TapSite::neurons,
                                             .region = region_,
                                             .thinking = options_.thinking,
                                             .intervention = {}});
  }

  void observe(Observation& observation) override {
    const Activations safety = now("safety", observation), control = now("control", observation);
    if (!safety_base_.safety.defined()) remember_base(safety, control, observation.step);
    if (!std::exchange(base_written_, true)) write_base(observation.sink);
    const RasColumns selected = columns(safety_base_, safety), draws = columns(control_base_, control);
    record("safety", safety.task.squeeze(0), selected, observation.sink);
    record("control", control.task, draws, observation.sink);
    const double ras = selected.ras.front();
    const double p = empirical_p_value(ras, draws.ras);
    observation.sink.append(options_.name + ".p", scalar_array(p),
                            {"empirical p of RAS against the control draws",
                             "1",
                             "(1 + number of draws with RAS >= that of the safety-critical neurons) / (1 + draws), "
                             "Phipson and Smyth 2010",
                             {}});
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
    if (state.empty()) return;
    const auto part = [&](const char* key, std::int64_t dimensions = 2) {
      const auto found = state.find(key);
      if (found == state.end() || found->second.dim() != dimensions) {
        throw Error(ExitCode::bad_data, "the checkpoint's state is not that of a RAS monitor");
      }
      return found->second.contiguous();
    };
    require_same_conditions(part("conditions", 1), conditions());
    safety_base_ = {.safety = part("safety.safety"), .task = part("safety.task")};
    control_base_ = {.safety = part("control.safety"), .task = part("control.task")};
  }

 private:
  [[nodiscard]] BaseConditions conditions() const {
    BaseConditions conditions = options_.conditions;
    conditions["region"] = to_string(region_);  // of `auto`, what it came to
    return conditions;
  }

  // `kind`: safety or control.
  [[nodiscard]] Activations now(const std::string& kind, const Observation& observation) const {
    const std::string who = "monitor " + options_.name;
    const at::Tensor& index = observation.shared.get(options_.neurons + "." + kind + ".index", who);
    const at::Tensor& safety = observation.shared.get(options_.neurons + "." + kind + ".activation", who);
    const at::Tensor task =
        observation.results.activations[handle_].mean(0, false, at::kDouble).to(at::kFloat).flatten();
    const std::int64_t neurons = index.size(-1), sets = index.dim() == 2 ? index.size(0) : 1;
    return {.safety = safety.reshape({sets, neurons}).contiguous(),
            .task = task.index_select(0, index.flatten()).reshape({sets, neurons}).contiguous()};
  }

  void remember_base(const Activations& safety, const Activations& control, std::int64_t step) {
    if (step != 0) {
      throw Error(ExitCode::config, "monitor " + options_.name +
                                        ": the base model's activations are not known at step " + std::to_string(step) +
                                        ": the run must have this monitor from its first step on");
    }
    safety_base_ = safety;
    control_base_ = control;
  }

  [[nodiscard]] RasColumns columns(const Activations& base, const Activations& current) const {
    if (base.safety.sizes() != current.safety.sizes()) {
      throw Error(ExitCode::bad_data, "monitor " + options_.name +
                                          ": the base activations in the checkpoint belong to " +
                                          "other neuron sets than those of monitor " + options_.neurons);
    }
    RasColumns columns;
    for (std::int64_t set = 0; set < current.safety.size(0); ++set) {
      const RasValue value = reciprocal_activation_shift({.safety_base = row(base.safety, set),
                                                          .safety_now = row(current.safety, set),
                                                          .task_base = row(base.task, set),
                                                          .task_now = row(current.task, set)},
                                                         options_.rule);
      columns.ras.push_back(value.ras);
      columns.d_safe.push_back(value.d_safe);
      columns.d_task.push_back(value.d_task);
    }
    return columns;
  }

  // One value for the safety-critical set, one per draw for the controls.
  [[nodiscard]] static Array column(bool draws, const std::vector<double>& values) {
    return draws ? Array{.shape = {std::ssize(values)}, .values = values} : scalar_array(values.front());
  }
  [[nodiscard]] static std::vector<std::string> axes(bool draws) {
    return draws ? std::vector<std::string>{"draw"} : std::vector<std::string>{};
  }

  // How large the activations of both kinds of sets were to begin with: larger ones move further for any reason.
  void write_base(RecordSink& sink) const {
    for (const bool draws : {false, true}) {
      const Activations& base = draws ? control_base_ : safety_base_;
      const std::string prefix = options_.name + (draws ? ".control" : ".safety");
      const std::string set = draws ? "control neurons" : "safety-critical neurons";
      const auto write = [&](const std::string& name, const std::string& prompts, const at::Tensor& activations) {
        std::vector<double> magnitudes;
        for (std::int64_t i = 0; i < activations.size(0); ++i)
          magnitudes.push_back(mean_magnitude(row(activations, i)));
        sink.write_static(
            prefix + name, column(draws, magnitudes),
            {"size of the activation of the " + set + " on " + prompts + " in the base model", "activation",
             "mean over the set of the absolute value of each neuron's mean activation", axes(draws)});
      };
      write(".harmful_magnitude", "harmful requests", base.safety);
      write(".task_magnitude", "the task", base.task);
    }
  }

  void record(const std::string& kind, const at::Tensor& task, const RasColumns& values, RecordSink& sink) const {
    const bool draws = kind == "control";
    const std::string set = draws ? "control neurons" : "safety-critical neurons", base = options_.name + "." + kind;
    const bool scaled = options_.rule.scale == ShiftScale::base;
    const std::string units = scaled ? "1" : "activation";
    sink.append(base, column(draws, values.ras),
                {"Reciprocal Activation Shift of the " + set, units, formula(), axes(draws)});
    sink.append(base + ".d_safe", column(draws, values.d_safe),
                {"loss of activation on harmful requests, " + set, units, shift_in_words("base - now"), axes(draws)});
    sink.append(base + ".d_task", column(draws, values.d_task),
                {"growth of activation on the task, " + set, units, shift_in_words("now - base"), axes(draws)});
    sink.append(base + ".task_activation", to_array(task),
                {"activation of the " + set + " on the task", "activation",
                 "mean over the task's prompts of the mean activation over the region '" + to_string(region_) + "'",
                 draws ? std::vector<std::string>{"draw", "neuron"} : std::vector<std::string>{"neuron"}});
  }

  [[nodiscard]] std::string shift_in_words(const std::string& difference) const {
    const bool scaled = options_.rule.scale == ShiftScale::base;
    if (options_.rule.level == ShiftLevel::set) {
      return difference + " of the set's mean activation, not clipped" +
             (scaled ? ", over the set's mean absolute activation in the base model" : "");
    }
    return "mean over the set of each neuron's " + difference + ", not clipped" +
           (scaled ? ", each over the neuron's own absolute activation in the base model" : "");
  }

  [[nodiscard]] std::string formula() const {
    const bool clips = options_.rule.negative == NegativeShift::clip;
    std::string text = clips ? "a = max(d_safe, 0), b = max(d_task, 0); " : "a = d_safe, b = d_task; ";
    switch (options_.rule.mean) {
      case ShiftMean::harmonic:
        text += "2ab / (a + b) (arXiv 2509.00544), 0 where a = b = 0";
        break;
      case ShiftMean::geometric:
        text += "sqrt(ab)";
        break;
      case ShiftMean::minimum:
        text += "min(a, b)";
        break;
    }
    return text + (options_.rule.level == ShiftLevel::set ? "; of activations averaged over the set"
                                                          : "; for each neuron, then averaged over the set");
  }

  RasOptions options_;
  TokenRegion region_ = TokenRegion::all;
  std::size_t handle_ = 0;
  Activations safety_base_, control_base_;
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
