// Learning rate over steps, as transformers' get_scheduler computes it.
#pragma once

#include <cstdint>
#include <string>

namespace rim {

enum class SchedulerType { constant, constant_with_warmup, linear, cosine };
SchedulerType parse_scheduler_type(const std::string& name);  // throws Error(config)

struct Schedule {
  SchedulerType type = SchedulerType::linear;
  double peak = 5e-5;
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 1;
  // Rate used by optimizer step `step` (from 0): linear warm-up, then constant, linear to 0, or half a cosine to 0.
  // `constant` is the peak from the first step on, whatever warmup_steps says.
  [[nodiscard]] double at(std::int64_t step) const;
};

}  // namespace rim
