#include "launch/verbs/run_plan.h"

#include <gtest/gtest.h>

#include "data/support/error.h"

namespace rim {
namespace {

ModelConfig small_model() {
  ModelConfig config;
  config.model_type = "qwen3";
  config.vocabulary_size = 64;
  config.hidden_size = 16;
  config.intermediate_size = 32;
  config.layers = 2;
  config.attention_heads = 2;
  config.key_value_heads = 1;
  config.head_size = 8;
  config.max_position_embeddings = 64;
  config.sliding_window.resize(2);
  config.query_key_norm = true;
  config.tied_embeddings = true;
  return config;
}

TrainingData samples(std::size_t count) {
  TrainingData data;
  data.samples.resize(count, Sample{.tokens = {1, 2, 3}, .trained = {0, 1, 1}, .origin = ""});
  data.weights.resize(count, 1.0);
  return data;
}

RunConfig configuration() {
  RunConfig config;
  config.optimization.per_device_train_batch_size = 4;
  config.optimization.gradient_accumulation_steps = 2;
  config.optimization.lr_scheduler_type = "linear";
  config.optimization.num_train_epochs = 1.5;
  config.save_steps = 5;
  return config;
}

TEST(RunPlan, CountsBatchesStepsAndCheckpoints) {
  const RunPlan plan = make_run_plan(configuration(), small_model(), at::kFloat, samples(100), 2);
  EXPECT_EQ(plan.global_batch, 16);
  EXPECT_DOUBLE_EQ(plan.steps_per_epoch, 6.25);
  EXPECT_EQ(plan.steps, 10);  // 9.375 rounded up
  EXPECT_EQ(plan.checkpoints, 2);
  // Embedding 64 x 16; twice q 16 x 16, k and v 8 x 16, o 16 x 16, their norms 2 x 8, MLP 3 x 32 x 16, norms 2 x
  // 16; 16.
  EXPECT_EQ(plan.parameters, 1024 + 2 * (256 + 128 + 128 + 256 + 16 + 1536 + 32) + 16);
  EXPECT_EQ(plan.trainable_parameters, plan.parameters);
  EXPECT_EQ(plan.longest_sample, 3);
}

TEST(RunPlan, MoreThanAnyRunIsRefused) {
  RunConfig config = configuration();
  config.optimization.per_device_train_batch_size = 1'000'000'000;
  config.optimization.gradient_accumulation_steps = 1'000'000'000;
  EXPECT_THROW(make_run_plan(config, small_model(), at::kFloat, samples(10), 64), Error);
  config = configuration();
  config.optimization.num_train_epochs = 1e9;
  EXPECT_THROW(make_run_plan(config, small_model(), at::kFloat, samples(100), 1), Error);
}

TEST(RunPlan, WeightsCountAsCopies) {
  TrainingData data = samples(4);
  data.weights = {2.0, 1.0, 0.5, 0.5};
  EXPECT_DOUBLE_EQ(data.tokens_per_epoch(), 12.0);
  EXPECT_DOUBLE_EQ(data.trained_tokens_per_epoch(), 8.0);
  EXPECT_EQ(make_run_plan(configuration(), small_model(), at::kFloat, data, 1).samples_per_epoch, 4);
  data.weights = {1.0, 1.0, 0.3, 0.3};
  EXPECT_EQ(make_run_plan(configuration(), small_model(), at::kFloat, data, 1).samples_per_epoch, 3)
      << "0.6 of a sample is drawn as one";
}

TEST(RunPlan, WarmupIsAShareOrANumber) {
  RunConfig config = configuration();
  config.optimization.warmup_ratio = 0.25;
  EXPECT_EQ(make_run_plan(config, small_model(), at::kFloat, samples(100), 2).warmup_steps, 3);  // 2.5 rounded up
  config.optimization.warmup_ratio = 0;
  config.optimization.warmup_steps = 7;
  const RunPlan plan = make_run_plan(config, small_model(), at::kFloat, samples(100), 2);
  EXPECT_EQ(make_schedule(config, plan).warmup_steps, 7);
  EXPECT_EQ(make_schedule(config, plan).total_steps, 10);
  config.optimization.lr_scheduler_type = "constant";  // as in transformers, which has another name for a warm-up
  EXPECT_EQ(make_run_plan(config, small_model(), at::kFloat, samples(100), 2).warmup_steps, 0);
}

TEST(RunPlan, CountsWhatIsTrained) {
  RunConfig config = configuration();
  config.optimization.trainable = {"*.down_proj.weight"};
  const RunPlan some = make_run_plan(config, small_model(), at::kFloat, samples(8), 1);
  EXPECT_EQ(some.trainable_parameters, 2 * 16 * 32);
  config.optimization.trainable = {"nothing.*"};
  EXPECT_THROW(make_run_plan(config, small_model(), at::kFloat, samples(8), 1), Error);
}

TEST(RunPlan, EstimatesFollowPrecisionAndTheNumberOfCheckpointsKept) {
  RunConfig config = configuration();
  config.save_steps = 1;
  const RunPlan all = make_run_plan(config, small_model(), at::kFloat, samples(100), 2);
  EXPECT_EQ(all.checkpoints, 10);
  const auto parameters = static_cast<double>(all.parameters);
  EXPECT_DOUBLE_EQ(all.checkpoint_bytes, 12 * parameters);  // weights and two moments, fp32
  EXPECT_DOUBLE_EQ(all.disk_bytes, 10 * all.checkpoint_bytes);
  config.save_total_limit = 2;
  const RunPlan few = make_run_plan(config, small_model(), at::kBFloat16, samples(100), 2);
  EXPECT_DOUBLE_EQ(few.checkpoint_bytes, 14 * parameters);  // bf16 weights, fp32 master and moments
  EXPECT_DOUBLE_EQ(few.disk_bytes, 3 * few.checkpoint_bytes);
}

TEST(RunPlan, AHeadThatIsTrainedNeedsItsGradientBesideTheBuckets) {
  const auto memory = [](const char* pattern, bool tied, at::ScalarType dtype) {
    ModelConfig model = small_model();
    model.vocabulary_size = 1000;
    model.tied_embeddings = tied;
    RunConfig config = configuration();
    config.optimization.trainable = {pattern};
    return make_run_plan(config, model, dtype, samples(8), 1).memory_bytes;
  };
  const double matrix = 1000 * 16;
  // Both matrices have the same gradient, moments and master; the head's gradient is made in the loss as well.
  EXPECT_DOUBLE_EQ(memory("lm_head.*", false, at::kFloat) - memory("*embed_tokens.*", false, at::kFloat), 8 * matrix);
  EXPECT_DOUBLE_EQ(memory("lm_head.*", false, at::kBFloat16) - memory("*embed_tokens.*", false, at::kBFloat16),
                   6 * matrix);
  EXPECT_DOUBLE_EQ(memory("lm_head.*", false, at::kFloat) - memory("*embed_tokens.*", true, at::kFloat), 4 * matrix)
      << "the embedding is the head: only the weights of a second matrix are saved";
}

TEST(RunPlan, LongResponsesOfTheMonitorsNeedMemory) {
  const auto memory = [](at::ScalarType dtype, std::int64_t cache_positions) {
    return make_run_plan(configuration(), small_model(), dtype, samples(8), 1, {.cache_positions = cache_positions})
        .memory_bytes;
  };
  EXPECT_DOUBLE_EQ(memory(at::kFloat, 1), memory(at::kFloat, 0)) << "less than training takes, and never beside it";
  // Keys and values of 2 layers, 1 head of 8.
  EXPECT_NEAR(memory(at::kFloat, 20'000'000) - memory(at::kFloat, 10'000'000), 32 * 4 * 1e7, 1);
  EXPECT_NEAR(memory(at::kBFloat16, 20'000'000) - memory(at::kBFloat16, 10'000'000), 32 * 2 * 1e7, 1);
}

TEST(RunPlan, ActivationsOfTheMonitorsNeedMemoryBesideTheirCache) {
  const auto memory = [](double activation_bytes, std::int64_t cache_positions) {
    return make_run_plan(configuration(), small_model(), at::kFloat, samples(8), 1,
                         {.cache_positions = cache_positions, .activation_bytes = activation_bytes})
        .memory_bytes;
  };
  EXPECT_NEAR(memory(3e9, 0) - memory(1e9, 0), 2e9, 1);
  EXPECT_NEAR(memory(3e9, 10'000'000) - memory(3e9, 0), 32 * 4 * 1e7, 1);
}

}  // namespace
}  // namespace rim
