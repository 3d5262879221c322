// What the RAS monitor writes into run.h5, and its definitions.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <vector>

#include "monitors/builtin/ras.h"
#include "monitors/core/monitor.h"

namespace rim {

// How a RAS monitor measures, in words and rules.
struct RasMethod {
  std::string name;     // the monitor's
  std::string harmful;  // "set 'harmful', region 'last_prompt', thinking off"
  std::string task;
  RasRule rule;
};

// Activations of one kind of sets: fp32 [sets, neurons], contiguous.
struct RasActivations {
  at::Tensor safety, task;
};

struct RasColumns {
  std::vector<double> ras, d_safe, d_task;  // one per set
};

std::span<const float> row_of(const at::Tensor& values, std::int64_t index);

// `draws`: whether these are the controls; else they are one set, the safety-critical one.
// How large the base model's activations were: larger ones move further for any reason.
void write_base_magnitudes(const RasMethod& method, bool draws, const RasActivations& base, RecordSink& sink);
// `task`: fp32 [neurons], or [draws, neurons].
void record_ras(const RasMethod& method, bool draws, const at::Tensor& task, const RasColumns& values,
                RecordSink& sink);
void record_p(const RasMethod& method, double p, RecordSink& sink);

}  // namespace rim
