// The training loop on 1, 2 and 4 ranks. Every test is collective.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/loop/training_loop_fixture.h"

namespace {

using namespace rim;
using namespace rim::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(TrainingLoopTest, LossesEqualOneRanksWhateverTheRanksAndTheAccumulation) {
  AloneCommunicator alone;
  const Trained reference = run_tiny(alone, tiny_options(own_folder("alone"), 10));
  ASSERT_EQ(reference.losses.size(), 10U);
  EXPECT_LT(reference.losses.back(), reference.losses.front());
  for (const std::int64_t accumulation : {1, 2, 4}) {
    const auto options = tiny_options(folder("accumulation-" + std::to_string(accumulation)), 10);
    const Trained trained = run_tiny(*communicator_, options, accumulation);
    if (first()) {
      expect_close(trained.losses, reference.losses, 1e-6);
      expect_close(trained.norms, reference.norms, 1e-5);
    }
  }
}

TEST_F(TrainingLoopTest, FirstLossIsTheMeanOverAllTrainedTokens) {
  const Trained trained = run_tiny(*communicator_, tiny_options(folder("run"), 1), 2);
  AloneCommunicator alone;
  const StepBatch batch = tiny_loader(alone, 16, 1).batch_for_step(0);
  const MicroBatch& micro = batch.micro_batches.at(0);
  const Decoder model = tiny_decoder();
  const auto tensor = [&](const std::vector<TokenId>& values) {
    return at::tensor(values).view({micro.rows, micro.length});
  };
  const at::Tensor log_probabilities = model.logits(model.hidden_states(tensor(micro.tokens))).log_softmax(-1);
  const at::Tensor targets = tensor(micro.targets);
  const at::Tensor mask = targets.ge(0);
  const at::Tensor picked = log_probabilities.gather(-1, targets.clamp_min(0).unsqueeze(-1)).squeeze(-1);
  const double mean = -picked.masked_select(mask).to(at::kDouble).mean().item<double>();
  if (!first()) return;
  EXPECT_NEAR(trained.losses.at(0), mean, 1e-6 * mean);
}

TEST_F(TrainingLoopTest, ObserverSeesStepZeroAndEachCheckpointAndChangesNothing) {
  auto options = tiny_options(folder("plain"), 5);
  options.save_steps = 2;
  const Trained plain = run_tiny(*communicator_, options);
  options.output_dir = folder("observed");
  CountingObserver observer;
  const Trained observed = run_tiny(*communicator_, options, 1, at::kFloat, &observer);
  EXPECT_THAT(observer.steps, ElementsAre(0, 2, 4, 5));
  EXPECT_EQ(observer.counts.front(), 0);
  EXPECT_EQ(observer.counts.back(), observed.result.last.tokens);
  EXPECT_EQ(plain.losses, observed.losses);  // bitwise
  expect_equal_weights(plain, observed);
}

TEST_F(TrainingLoopTest, TheDisplayHearsOfEveryStepAndTheLogOfSome) {
  auto options = tiny_options(folder("run"), 5);
  options.logging_steps = 2;
  const Trained trained = run_tiny(*communicator_, options);
  if (!first()) return;
  EXPECT_EQ(trained.losses.size(), 5U);
  std::vector<std::int64_t> logged;
  for (const Json& record : log_without_seconds(options.output_dir)) logged.push_back(record.at("step"));
  EXPECT_THAT(logged, ElementsAre(2, 4, 5));
}

TEST_F(TrainingLoopTest, FreshRunRefusesAnotherRunsFolder) {
  const auto options = tiny_options(folder("run"), 1);
  run_tiny(*communicator_, options);
  try {
    run_tiny(*communicator_, options);
    FAIL() << "the folder holds checkpoints";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_THAT(error.what(), HasSubstr("holds another run's checkpoints"));
  }
}

}  // namespace
