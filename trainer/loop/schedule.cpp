#include "trainer/loop/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/support/error.h"

namespace rim {

SchedulerType parse_scheduler_type(const std::string& name) {
  if (name == "constant") return SchedulerType::constant;
  if (name == "constant_with_warmup") return SchedulerType::constant_with_warmup;
  if (name == "linear") return SchedulerType::linear;
  if (name == "cosine") return SchedulerType::cosine;
  throw Error(ExitCode::config,
              "lr_scheduler_type: '" + name + "' is not one of constant, constant_with_warmup, linear, cosine");
}

double Schedule::at(std::int64_t step) const {
  if (type == SchedulerType::constant) return peak;
  if (step < warmup_steps) return peak * static_cast<double>(step) / static_cast<double>(warmup_steps);
  if (type == SchedulerType::constant_with_warmup) return peak;
  const auto after_warmup = static_cast<double>(std::max<std::int64_t>(1, total_steps - warmup_steps));
  const double progress = std::min(1.0, static_cast<double>(step - warmup_steps) / after_warmup);
  if (type == SchedulerType::linear) return peak * (1.0 - progress);
  return peak * 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
}

}  // namespace rim
