// The numbers of a run before it starts: steps, batches, memory and disk.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "launch/config/run_config.h"
#include "launch/verbs/training_data.h"
#include "monitors/core/probe_check.h"
#include "trainer/loop/schedule.h"
#include "trainer/model/model_config.h"

namespace rim {

struct RunPlan {
  std::int64_t parameters = 0;
  std::int64_t trainable_parameters = 0;
  std::int64_t global_batch = 0;       // samples per optimizer step, over all ranks
  std::int64_t samples_per_epoch = 0;  // as the loader counts them
  double steps_per_epoch = 0;
  std::int64_t steps = 0;
  std::int64_t warmup_steps = 0;
  std::int64_t checkpoints = 0;         // written in the whole run
  std::int64_t longest_sample = 0;      // tokens
  std::int64_t longest_generation = 0;  // tokens of a monitor's prompt and the new ones allowed after it
  double memory_bytes = 0;              // of one rank
  double checkpoint_bytes = 0;
  double disk_bytes = 0;  // the most that the run holds at once
};

// Memory is estimated: weights, fp32 gradients, AdamW's two moments, fp32 master weights beside bfloat16 ones, the
// libraries themselves, and the larger of what comes in turns: what backward keeps of one micro-batch with full rows
// (per token and layer about 12 vectors of the hidden size and 5 of the MLP's) with logits of a chunk and the gradient
// of a head that is trained, or what the monitors hold (`probes`): the results of their activation requests with the
// keys and values of their largest batch of generation. Between 8% below and 18% above the measured peak for models of
// 0.9M to 135M parameters. Throws Error(config) for a `trainable` pattern that matches nothing, and for more than 1e9
// samples a step or 1e9 steps.
RunPlan make_run_plan(const RunConfig& config, const ModelConfig& model, at::ScalarType dtype, const TrainingData& data,
                      int world_size, const ProbeNeeds& probes = {});

Schedule make_schedule(const RunConfig& config, const RunPlan& plan);

}  // namespace rim
