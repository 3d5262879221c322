// Runs that stop and the ones that go on from them, on 1, 2 and 4 ranks. Every test is collective.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/support/sha256.h"
#include "tests/trainer/loop/training_loop_fixture.h"

namespace {

using namespace rim;
using namespace rim::testing;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ResumeTest : public TrainingLoopTest, public ::testing::WithParamInterface<at::ScalarType> {};

TEST_P(ResumeTest, InterruptedAndResumedEqualsUninterrupted) {
  auto options = tiny_options(folder("whole"), 7);
  options.save_steps = 3;
  CountingObserver whole_observer;
  const Trained whole = run_tiny(*communicator_, options, 2, GetParam(), &whole_observer);

  options.output_dir = folder("parts");
  options.resume_from_checkpoint = "auto";
  CountingObserver first_observer, second_observer;
  int polls = 0;  // two before the first step
  const int asking_rank = communicator_->size() - 1;
  const auto stop_after_four = [&] { return ++polls == 6 && communicator_->rank() == asking_rank; };
  const Trained before = run_tiny(*communicator_, options, 2, GetParam(), &first_observer, stop_after_four);
  EXPECT_EQ(before.result.reason, StopReason::preempted);
  EXPECT_EQ(before.result.last_checkpoint, checkpoints_folder(options.output_dir) / "step-000004");
  const Trained after = run_tiny(*communicator_, options, 2, GetParam(), &second_observer);
  EXPECT_EQ(after.result.reason, StopReason::finished);

  expect_equal_weights(whole, after);
  EXPECT_THAT(first_observer.steps, ElementsAre(0, 3));
  EXPECT_THAT(second_observer.steps, ElementsAre(6, 7));
  if (!first()) return;
  EXPECT_EQ(log_without_seconds(folder("whole")), log_without_seconds(folder("parts")));
  for (const char* file : {"model.safetensors", "optimizer.safetensors", "observer.safetensors"}) {
    EXPECT_EQ(digest_file(whole.result.last_checkpoint / file), digest_file(after.result.last_checkpoint / file))
        << file;
  }
}

INSTANTIATE_TEST_SUITE_P(Dtypes, ResumeTest, ::testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& dtype) { return at::toString(dtype.param); });

TEST_F(TrainingLoopTest, AStopAtADueStepLeavesTheObservationToTheResumedRun) {
  auto options = tiny_options(folder("run"), 4);
  options.save_steps = 2;
  options.resume_from_checkpoint = "auto";
  for (const std::vector<std::int64_t>& expected : {std::vector<std::int64_t>{0}, {2}, {4}}) {
    CountingObserver observer;
    int polls = 0;
    const auto stop_after_two = [&] { return ++polls == 4; };
    const Trained trained = run_tiny(*communicator_, options, 1, at::kFloat, &observer, stop_after_two);
    const bool last = expected.front() == 4;
    EXPECT_EQ(trained.result.reason, last ? StopReason::finished : StopReason::preempted);
    EXPECT_EQ(observer.steps, expected);
  }
}

TEST_F(TrainingLoopTest, AStopAroundTheFirstObservationLosesNothing) {
  auto options = tiny_options(folder("run"), 2);
  options.resume_from_checkpoint = "auto";
  for (const int poll : {1, 2}) {
    CountingObserver observer;
    int polls = 0;
    const Trained stopped =
        run_tiny(*communicator_, options, 1, at::kFloat, &observer, [&] { return ++polls == poll; });
    EXPECT_EQ(stopped.result.reason, StopReason::preempted);
    EXPECT_EQ(stopped.result.last.step, 0);
    EXPECT_TRUE(stopped.result.last_checkpoint.empty());
    EXPECT_EQ(observer.steps.size(), poll == 1 ? 0U : 1U);
  }
  EXPECT_EQ(run_tiny(*communicator_, options).result.reason, StopReason::finished);
}

TEST_F(TrainingLoopTest, ResumeFromAnEarlierCheckpointRewritesTheFuture) {
  auto options = tiny_options(folder("run"), 6);
  options.save_steps = 2;
  CountingObserver observer;
  const Trained whole = run_tiny(*communicator_, options, 1, at::kFloat, &observer);
  const auto log = log_without_seconds(options.output_dir);

  options.resume_from_checkpoint = checkpoints_folder(options.output_dir) / "step-000002";
  CountingObserver again;
  const Trained resumed = run_tiny(*communicator_, options, 1, at::kFloat, &again);
  EXPECT_THAT(again.steps, ElementsAre(2, 4, 6));
  expect_equal_weights(whole, resumed);
  if (!first()) return;
  EXPECT_EQ(log, log_without_seconds(options.output_dir));
  EXPECT_TRUE(fs::exists(checkpoints_folder(options.output_dir) / "step-000006.abandoned"));
}

TEST_F(TrainingLoopTest, ResumesOnAnotherNumberOfRanks) {
  auto options = tiny_options(folder("run"), 6);
  AloneCommunicator alone;
  const Trained whole = run_tiny(alone, tiny_options(own_folder("alone"), 6));
  options.max_steps = 3;
  run_tiny(*communicator_, options, 2);

  auto resumed_options = tiny_options(own_folder("resumed"), 6);
  resumed_options.resume_from_checkpoint = checkpoints_folder(options.output_dir) / "step-000003";
  const Trained resumed = run_tiny(alone, resumed_options, 4);
  expect_close(resumed.losses, {whole.losses.begin() + 3, whole.losses.end()}, 1e-6);
}

// The message of the Error(config) that resuming `options`' run with this loader and these parameters ends in.
std::string refusal(Communicator& communicator, const TrainingOptions& options, const Loader& loader) {
  Decoder model = tiny_decoder();
  try {
    train(model, loader, options, communicator, nullptr, nullptr, {});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    return error.what();
  }
  return "accepted";
}

TEST_F(TrainingLoopTest, RefusesToResumeWhereAStepWouldMeanOtherSamples) {
  auto options = tiny_options(folder("run"), 2);
  run_tiny(*communicator_, options);
  options.resume_from_checkpoint = "auto";
  options.max_steps = 4;
  EXPECT_THAT(refusal(*communicator_, options, tiny_loader(*communicator_, 8, 1)),
              AllOf(HasSubstr("step-000002: was trained with 16 samples a step, and this run takes 8 (per_device"),
                    HasSubstr("gradient_accumulation_steps=2 keeps 16")));
  EXPECT_THAT(refusal(*communicator_, options, tiny_loader(*communicator_, 16, 1, 9)), HasSubstr("seed=1"));
  auto samples = tiny_samples();
  samples[5].tokens[0] += 1;
  EXPECT_THAT(refusal(*communicator_, options, tiny_loader(*communicator_, 16, 1, 1, samples)),
              HasSubstr("samples with other tokens, masks or weights"));
  samples.pop_back();
  EXPECT_THAT(refusal(*communicator_, options, tiny_loader(*communicator_, 16, 1, 1, samples)),
              HasSubstr("24 samples an epoch, and this run has 23"));
  options.trainable = {"*layers.0.*"};
  EXPECT_THAT(refusal(*communicator_, options, tiny_loader(*communicator_, 16, 1)),
              HasSubstr("also trained 'model.embed_tokens.weight'"));
  EXPECT_EQ(log_without_seconds(options.output_dir).size(), 2U);
}

TEST_F(TrainingLoopTest, ResumingAFinishedRunTrainsNothing) {
  auto options = tiny_options(folder("run"), 2);
  const Trained whole = run_tiny(*communicator_, options);
  options.resume_from_checkpoint = "auto";
  const Trained again = run_tiny(*communicator_, options);
  EXPECT_THAT(again.losses, IsEmpty());
  EXPECT_EQ(again.result.reason, StopReason::finished);
  EXPECT_EQ(again.result.last.step, 2);
  EXPECT_EQ(again.result.last.loss, whole.result.last.loss);
  EXPECT_EQ(again.result.last_checkpoint, whole.result.last_checkpoint);
  options.max_steps = 1;
  EXPECT_THAT(refusal(*communicator_, options, tiny_loader(*communicator_, 16, 1)),
              HasSubstr("step-000002: there is nothing to do: it is at step 2 already, and this run ends at step 1"));
}

}  // namespace
