// Teacher-forced forward passes: each serves all activation requests on one prompt set, thinking mode and intervention.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "monitors/core/probe_context.h"

namespace rim {

// The last axis of what is measured there.
std::int64_t width_of(TapSite site, const ModelConfig& config);

struct ActivationPass {
  // By handle, fp32 [prompts, layers, width] on the model's device: this rank's prompts filled in, the others' rows
  // zero, so that a sum over ranks completes it.
  std::vector<at::Tensor> activations;
  std::int64_t forward_passes = 0;  // on this rank
};

// Not collective. No gradients are recorded where the caller has switched them off.
ActivationPass run_activation_requests(const ProbeContext& context);

}  // namespace rim
