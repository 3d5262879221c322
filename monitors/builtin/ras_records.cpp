#include "monitors/builtin/ras_records.h"

#include "monitors/core/arrays.h"

namespace rim {
namespace {

// One value for the safety-critical set, one per draw for the controls.
Array column(bool draws, const std::vector<double>& values) {
  return draws ? Array{.shape = {std::ssize(values)}, .values = values} : scalar_array(values.front());
}

std::vector<std::string> axes(bool draws) {
  return draws ? std::vector<std::string>{"draw"} : std::vector<std::string>{};
}

std::string set_in_words(bool draws) { return draws ? "control neurons" : "safety-critical neurons"; }

std::string shift_in_words(const RasMethod& method, const std::string& difference, const std::string& prompts) {
  const bool scaled = method.rule.scale == ShiftScale::base;
  if (method.rule.level == ShiftLevel::set) {
    return difference + " of the set's mean activation on " + prompts + ", not clipped" +
           (scaled ? ", over the set's mean absolute activation in the base model" : "");
  }
  return "mean over the set of each neuron's " + difference + " of the activation on " + prompts + ", not clipped" +
         (scaled ? ", each over the neuron's own absolute activation in the base model" : "");
}

std::string loss_in_words(const RasMethod& method) {
  return shift_in_words(method, "base - now", "harmful requests (" + method.harmful + ")");
}

std::string growth_in_words(const RasMethod& method) {
  return shift_in_words(method, "now - base", "the task (" + method.task + ")");
}

std::string formula(const RasMethod& method) {
  const bool clips = method.rule.negative == NegativeShift::clip;
  std::string text = clips ? "a = max(d_safe, 0), b = max(d_task, 0); " : "a = d_safe, b = d_task; ";
  switch (method.rule.mean) {
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
  text += method.rule.level == ShiftLevel::set ? "; of activations averaged over the set"
                                               : "; for each neuron, then averaged over the set";
  return text + "; d_safe: " + loss_in_words(method) + "; d_task: " + growth_in_words(method);
}

}  // namespace

std::span<const float> row_of(const at::Tensor& values, std::int64_t index) {
  const auto width = static_cast<std::size_t>(values.size(1));
  return {values.const_data_ptr<float>() + static_cast<std::size_t>(index) * width, width};
}

void write_base_magnitudes(const RasMethod& method, bool draws, const RasActivations& base, RecordSink& sink) {
  const auto write = [&](const std::string& name, const std::string& prompts, const std::string& measured,
                         const at::Tensor& activations) {
    std::vector<double> magnitudes;
    for (std::int64_t i = 0; i < activations.size(0); ++i) magnitudes.push_back(mean_magnitude(row_of(activations, i)));
    sink.write_static(
        method.name + (draws ? ".control" : ".safety") + name, column(draws, magnitudes),
        {"size of the activation of the " + set_in_words(draws) + " on " + prompts + " in the base model", "activation",
         "mean over the set of the absolute value of each neuron's mean activation; " + measured, axes(draws)});
  };
  write(".harmful_magnitude", "harmful requests", method.harmful, base.safety);
  write(".task_magnitude", "the task", method.task, base.task);
}

void record_ras(const RasMethod& method, bool draws, const at::Tensor& task, const RasColumns& values,
                RecordSink& sink) {
  const std::string set = set_in_words(draws), base = method.name + (draws ? ".control" : ".safety");
  const std::string units = method.rule.scale == ShiftScale::base ? "1" : "activation";
  const auto record = [&](const std::string& part, const std::vector<double>& numbers, const std::string& long_name,
                          const std::string& definition) {
    SeriesInfo info{long_name, units, definition, axes(draws)};
    if (!draws) info.relations["null"] = method.name + ".control" + part;
    sink.append(base + part, column(draws, numbers), info);
  };
  record("", values.ras, "Reciprocal Activation Shift of the " + set, formula(method));
  record(".d_safe", values.d_safe, "loss of activation on harmful requests, " + set, loss_in_words(method));
  record(".d_task", values.d_task, "growth of activation on the task, " + set, growth_in_words(method));
  SeriesInfo info{"activation of the " + set + " on the task", "activation",
                  "mean over the task's prompts of the mean activation over the region's tokens; " + method.task,
                  draws ? std::vector<std::string>{"draw", "neuron"} : std::vector<std::string>{"neuron"}};
  if (!draws) info.relations["null"] = method.name + ".control.task_activation";
  sink.append(base + ".task_activation", to_array(task), info);
}

void record_p(const RasMethod& method, double p, RecordSink& sink) {
  sink.append(method.name + ".p", scalar_array(p),
              {"empirical p of RAS against the control draws",
               "1",
               "(1 + number of draws with RAS >= that of the safety-critical neurons) / (1 + draws), "
               "Phipson and Smyth 2010",
               {}});
}

}  // namespace rim
