// Learning rate over steps, as transformers' get_scheduler computes it.
#pragma once

#include <cstdint>
#include <string>

namespace rim {

enum class SchedulerType { constant, linear, cosine };
SchedulerType parse_scheduler_type(const std::string& name);  // also "constant_with_warmup"; throws Error(config)

struct Schedule {
  SchedulerType type = SchedulerType::linear;
  double peak = 5e-5;
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 1;
  // Rate used by optimizer step `step` (from 0): linear warm-up, then constant, linear to 0, or half a cosine to 0.
  [[nodiscard]] double at(std::int64_t step) const;
};

}  // namespace rim
