#include "monitors/builtin/ras.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "data/support/error.h"
#include "monitors/statistics/statistics.h"

namespace rim {
namespace {

double mean_of(std::span<const float> values) {
  const std::vector<double> precise(values.begin(), values.end());
  return mean(precise);
}

// One d_safe, d_task and RAS of activations averaged over the neurons.
RasValue set_level(const SetActivations& activations, const RasRule& rule) {
  const bool scaled = rule.scale == ShiftScale::base;
  const double safety_scale = scaled ? mean_magnitude(activations.safety_base) : 1.0;
  const double task_scale = scaled ? mean_magnitude(activations.task_base) : 1.0;
  RasValue value;
  value.d_safe = (mean_of(activations.safety_base) - mean_of(activations.safety_now)) / safety_scale;
  value.d_task = (mean_of(activations.task_now) - mean_of(activations.task_base)) / task_scale;
  value.ras = combine_shifts(value.d_safe, value.d_task, rule);
  return value;
}

RasValue neuron_level(const SetActivations& activations, const RasRule& rule) {
  std::vector<double> ras, d_safe, d_task;
  for (std::size_t i = 0; i < activations.safety_base.size(); ++i) {
    const RasValue one = set_level({.safety_base = activations.safety_base.subspan(i, 1),
                                    .safety_now = activations.safety_now.subspan(i, 1),
                                    .task_base = activations.task_base.subspan(i, 1),
                                    .task_now = activations.task_now.subspan(i, 1)},
                                   rule);
    ras.push_back(one.ras);
    d_safe.push_back(one.d_safe);
    d_task.push_back(one.d_task);
  }
  return {.ras = mean(ras), .d_safe = mean(d_safe), .d_task = mean(d_task)};
}

}  // namespace

double mean_magnitude(std::span<const float> activations) {
  std::vector<double> magnitudes;
  for (const float value : activations) magnitudes.push_back(std::abs(static_cast<double>(value)));
  return mean(magnitudes);
}

double combine_shifts(double d_safe, double d_task, const RasRule& rule) {
  const bool clips = rule.negative == NegativeShift::clip;
  // std::max would turn NaN into a number.
  const double a = clips && d_safe < 0 ? 0.0 : d_safe;
  const double b = clips && d_task < 0 ? 0.0 : d_task;
  switch (rule.mean) {
    case ShiftMean::minimum:
      return std::isnan(a) ? a : std::min(b, a);
    case ShiftMean::geometric:
      return std::sqrt(a) * std::sqrt(b);  // NaN where a shift is negative
    case ShiftMean::harmonic:
      break;
  }
  return a == 0 && b == 0 ? 0.0 : 2 * a * b / (a + b);
}

RasValue reciprocal_activation_shift(const SetActivations& activations, const RasRule& rule) {
  const std::size_t neurons = activations.safety_base.size();
  if (activations.safety_now.size() != neurons || activations.task_base.size() != neurons ||
      activations.task_now.size() != neurons) {
    throw Error(ExitCode::software, "RAS of activations of different neuron sets");
  }
  constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
  if (neurons == 0) return {.ras = kUndefined, .d_safe = kUndefined, .d_task = kUndefined};
  return rule.level == ShiftLevel::set ? set_level(activations, rule) : neuron_level(activations, rule);
}

}  // namespace rim
