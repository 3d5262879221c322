#include "launch/verbs/run_plan.h"

#include <algorithm>
#include <cmath>

#include "data/examples/loader.h"
#include "data/support/error.h"
#include "trainer/loop/trainable.h"
#include "trainer/model/cross_entropy.h"
#include "trainer/model/decoder.h"

namespace rim {
namespace {

constexpr double kFloatBytes = 4;
constexpr double kLargestGlobalBatch = 1e9;  // with as many steps, positions in the data still fit an int64
constexpr double kMostSteps = 1e9;
constexpr double kLibraryBytes = 230e6;  // libtorch, MPI and HDF5 loaded, before any tensor

struct Counts {
  std::int64_t parameters = 0;  // tied embeddings once
  std::int64_t trained = 0;
  bool head_trained = false;  // the matrix that makes logits
};

// Counted on shapes alone: the meta device allocates nothing.
Counts count_parameters(const ModelConfig& model, const std::vector<std::string>& patterns) {
  const Decoder shapes(model, at::kFloat, at::kMeta);
  const std::string head = model.tied_embeddings ? "model.embed_tokens.weight" : "lm_head.weight";
  Counts counts;
  for (const NamedParameter& parameter : shapes.parameters()) counts.parameters += parameter.tensor.numel();
  for (const NamedParameter& parameter : select_trainable(shapes, patterns)) {
    counts.trained += parameter.tensor.numel();
    counts.head_trained = counts.head_trained || parameter.name == head;
  }
  return counts;
}

double loss_bytes(const ModelConfig& model, double element_bytes, double tokens, bool head_trained) {
  const auto vocabulary = static_cast<double>(model.vocabulary_size);
  const double rows = std::min(tokens, static_cast<double>(cross_entropy_chunk_rows(model.vocabulary_size)));
  const double logits = 3 * kFloatBytes * rows * vocabulary;  // with their softmax and their gradient
  // The head's gradient is summed in fp32, with a chunk's share beside it.
  const double head = head_trained ? vocabulary * static_cast<double>(model.hidden_size) : 0;
  return logits + head * (kFloatBytes + element_bytes);
}

double activation_bytes(const RunConfig& config, const ModelConfig& model, double element_bytes, std::int64_t longest,
                        bool head_trained) {
  const double tokens =
      static_cast<double>(config.optimization.per_device_train_batch_size) * static_cast<double>(longest);
  const double per_layer =
      12.0 * static_cast<double>(model.hidden_size) + 5.0 * static_cast<double>(model.intermediate_size);
  return tokens * static_cast<double>(model.layers) * per_layer * element_bytes +
         loss_bytes(model, element_bytes, tokens, head_trained);
}

double cache_bytes(const ModelConfig& model, double element_bytes, std::int64_t positions) {
  const auto per_position = static_cast<double>(2 * model.layers * model.key_value_heads * model.head_size);
  return static_cast<double>(positions) * per_position * element_bytes;
}

std::int64_t longest_sample(const TrainingData& data) {
  std::size_t longest = 0;
  for (const Sample& sample : data.samples) longest = std::max(longest, sample.tokens.size());
  return static_cast<std::int64_t>(longest);
}

std::int64_t count_steps(const OptimizationSettings& settings, double steps_per_epoch) {
  if (settings.max_steps) return *settings.max_steps;
  const double steps = std::ceil(*settings.num_train_epochs * steps_per_epoch - 1e-9);
  if (steps > kMostSteps) throw Error(ExitCode::config, "num_train_epochs asks for more than 1e9 steps");
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(steps));
}

std::int64_t global_batch_of(const OptimizationSettings& settings, int world_size) {
  const double batch = static_cast<double>(settings.per_device_train_batch_size) *
                       static_cast<double>(settings.gradient_accumulation_steps) * static_cast<double>(world_size);
  if (batch > kLargestGlobalBatch) {
    throw Error(ExitCode::config,
                "per_device_train_batch_size x gradient_accumulation_steps x ranks must be at most 1e9 samples");
  }
  return static_cast<std::int64_t>(batch);
}

void estimate_bytes(RunPlan& plan, const RunConfig& config, const ModelConfig& model, at::ScalarType dtype,
                    const ProbeNeeds& probes, bool head_trained) {
  const bool half = dtype == at::kBFloat16;
  const double element_bytes = half ? 2 : kFloatBytes;
  const double weights = static_cast<double>(plan.parameters) * element_bytes;
  const double trainable = static_cast<double>(plan.trainable_parameters) * kFloatBytes;
  const double optimizer = trainable * (half ? 3 : 2);  // two moments, and the master copy
  const double in_turns = std::max(activation_bytes(config, model, element_bytes, plan.longest_sample, head_trained),
                                   probes.activation_bytes + cache_bytes(model, element_bytes, probes.cache_positions));
  plan.memory_bytes = weights + trainable + optimizer + in_turns + kLibraryBytes;
  plan.checkpoint_bytes = weights + optimizer;
  const std::int64_t kept = std::min(plan.checkpoints, config.save_total_limit.value_or(plan.checkpoints));
  // While one is written the oldest is still there.
  const double at_once = static_cast<double>(std::min(plan.checkpoints, kept + 1));
  plan.disk_bytes = plan.checkpoint_bytes * at_once;
}

}  // namespace

RunPlan make_run_plan(const RunConfig& config, const ModelConfig& model, at::ScalarType dtype, const TrainingData& data,
                      int world_size, const ProbeNeeds& probes) {
  const OptimizationSettings& settings = config.optimization;
  RunPlan plan;
  const Counts counts = count_parameters(model, settings.trainable);
  plan.parameters = counts.parameters;
  plan.trainable_parameters = counts.trained;
  plan.global_batch = global_batch_of(settings, world_size);
  plan.samples_per_epoch = count_samples_per_epoch(data.weights);
  plan.steps_per_epoch = static_cast<double>(plan.samples_per_epoch) / static_cast<double>(plan.global_batch);
  plan.steps = count_steps(settings, plan.steps_per_epoch);
  plan.warmup_steps = settings.warmup_steps;
  if (settings.warmup_ratio > 0) {
    plan.warmup_steps = static_cast<std::int64_t>(std::ceil(settings.warmup_ratio * static_cast<double>(plan.steps)));
  }
  if (parse_scheduler_type(settings.lr_scheduler_type) == SchedulerType::constant) plan.warmup_steps = 0;
  plan.checkpoints = config.save_steps > 0 ? (plan.steps + config.save_steps - 1) / config.save_steps : 1;
  plan.longest_sample = longest_sample(data);
  plan.longest_generation = probes.longest_generation;
  estimate_bytes(plan, config, model, dtype, probes, counts.head_trained);
  return plan;
}

Schedule make_schedule(const RunConfig& config, const RunPlan& plan) {
  return {.type = parse_scheduler_type(config.optimization.lr_scheduler_type),
          .peak = config.optimization.learning_rate,
          .warmup_steps = plan.warmup_steps,
          .total_steps = plan.steps};
}

}  // namespace rim
