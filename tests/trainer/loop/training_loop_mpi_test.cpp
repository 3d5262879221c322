// The training loop on 1, 2 and 4 ranks. Every test is collective.
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "data/support/files.h"
#include "data/support/sha256.h"
#include "tests/trainer/loop/tiny_run.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/loop/run_folder.h"

namespace {

namespace fs = std::filesystem;
using namespace rim;
using namespace rim::testing;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TrainingLoopTest : public ::testing::Test {
 protected:
  [[nodiscard]] bool first() const { return communicator_->rank() == 0; }
  [[nodiscard]] fs::path folder(const std::string& name) const { return shared_.path() / name; }
  // A folder of this rank's own.
  [[nodiscard]] fs::path own_folder(const std::string& name) const {
    return shared_.path() / (name + std::to_string(communicator_->rank()));
  }

  std::unique_ptr<Communicator> communicator_ = make_mpi_communicator({std::chrono::seconds(60)});
  SharedFolder shared_{*communicator_};
};

void expect_close(const std::vector<double>& found, const std::vector<double>& reference, double tolerance) {
  ASSERT_EQ(found.size(), reference.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], reference[i], tolerance * std::abs(reference[i])) << "step " << i + 1;
  }
}

void expect_equal_weights(const Trained& left, const Trained& right) {
  ASSERT_EQ(left.weights.size(), right.weights.size());
  for (std::size_t i = 0; i < left.weights.size(); ++i) {
    EXPECT_TRUE(at::equal(left.weights[i], right.weights[i])) << "parameter " << i;
  }
}

// Every field but the time.
std::vector<Json> log_without_seconds(const fs::path& output_dir) {
  std::ifstream file(log_file(output_dir));
  std::vector<Json> records;
  for (std::string line; std::getline(file, line);) {
    records.push_back(Json::parse(line));
    records.back().erase("seconds");
  }
  return records;
}

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

struct CountingObserver : Observer {
  void at_checkpoint(const Decoder& model, std::int64_t step, std::int64_t tokens) override {
    const at::NoGradGuard no_grad;
    static_cast<void>(model.hidden_states(at::zeros({1, 4}, at::kLong)));
    steps.push_back(step);
    counts.push_back(tokens);
    remembered = at::full({1}, step, at::kLong);
  }
  [[nodiscard]] TensorMap state() const override { return {{"remembered", remembered}}; }
  void load_state(const TensorMap& state) override { remembered = state.at("remembered"); }
  std::vector<std::int64_t> steps, counts;
  at::Tensor remembered = at::full({1}, -1, at::kLong);
};

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

TEST_F(TrainingLoopTest, DivergenceIsAnErrorOnAllRanksBeforeTheWeightsChange) {
  Decoder model = tiny_decoder();
  for (const NamedParameter& parameter : model.parameters()) {
    if (parameter.name == "model.norm.weight") parameter.tensor.fill_(std::numeric_limits<float>::infinity());
  }
  const at::Tensor before = model.parameters().front().tensor.clone();
  try {
    train(model, tiny_loader(*communicator_, 16, 1), tiny_options(folder("run")), *communicator_, nullptr, nullptr, {});
    FAIL() << "the loss is not finite";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::software);
    EXPECT_THAT(error.what(), HasSubstr("step 1: "));
  }
  EXPECT_TRUE(at::equal(model.parameters().front().tensor, before));
}

TEST_F(TrainingLoopTest, WeightsThatAreNotFiniteAreNeverSaved) {
  auto options = tiny_options(folder("run"), 2);
  options.save_steps = 1;
  options.save_total_limit = 1;
  options.schedule = {SchedulerType::linear, 1e39, 1, 2};  // the first step's rate is 0; the second's is beyond fp32
  try {
    run_tiny(*communicator_, options);
    FAIL() << "infinite weights were saved";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::software);
    EXPECT_THAT(error.what(), HasSubstr("step 2: weights are not finite: training diverged"));
  }
  std::vector<std::string> notes;
  EXPECT_EQ(newest_checkpoint(checkpoints_folder(options.output_dir), notes),
            checkpoints_folder(options.output_dir) / "step-000001");
}

TEST_F(TrainingLoopTest, FailedSaveEndsAllRanksAndKeepsTheOldCheckpoint) {
  auto options = tiny_options(folder("run"), 4);
  options.save_steps = 2;
  options.model_files = {folder("tokenizer.json")};
  if (first()) write_file_atomically(folder("tokenizer.json"), "{}");
  communicator_->sum(0, "file written");
  // The file goes away between the first and the second save.
  int polls = 0;
  const auto remove_file = [&] {
    if (++polls == 5 && first()) fs::remove(folder("tokenizer.json"));
    return false;
  };
  try {
    run_tiny(*communicator_, options, 1, at::kFloat, nullptr, remove_file);
    FAIL() << "the second save must fail";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input_output);
    EXPECT_THAT(error.what(), HasSubstr("tokenizer.json"));
  }
  std::vector<std::string> notes;
  EXPECT_EQ(newest_checkpoint(checkpoints_folder(options.output_dir), notes),
            checkpoints_folder(options.output_dir) / "step-000002");
  EXPECT_THAT(notes, IsEmpty());
}

TEST_F(TrainingLoopTest, ADamagedCheckpointEndsAllRanks) {
  auto options = tiny_options(folder("run"), 2);
  const fs::path checkpoint = run_tiny(*communicator_, options).result.last_checkpoint;
  if (first()) {
    std::string bytes = read_text_file(checkpoint / "optimizer.safetensors");
    bytes[bytes.size() - 3] ^= 1;  // a tensor's: only the digest can tell
    write_file_atomically(checkpoint / "optimizer.safetensors", bytes);
  }
  communicator_->all_gather("", "damage done");
  options.resume_from_checkpoint = checkpoint;
  bool cut_back = false;
  options.resumed = [&] { cut_back = true; };
  try {
    run_tiny(*communicator_, options);
    FAIL() << "a flipped bit was trained on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    EXPECT_THAT(error.what(), HasSubstr("optimizer.safetensors: is damaged"));
  }
  EXPECT_FALSE(cut_back);
}

TEST_F(TrainingLoopTest, ADisplayThatFailsEndsAllRanks) {
  struct FailingSink : ProgressSink {
    void on_step(const StepRecord& record, std::int64_t, bool) override {
      if (record.step == 2) throw std::runtime_error("no screen");
    }
    void on_message(const std::string&) override {}
  };
  Decoder model = tiny_decoder();
  FailingSink sink;
  try {
    train(model, tiny_loader(*communicator_, 16, 1), tiny_options(folder("run")), *communicator_, nullptr, &sink, {});
    FAIL() << "rank 0 could not show step 2";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no screen"));
  }
  EXPECT_EQ(communicator_->sum(1.0, "all ranks are here"), communicator_->size());
}

TEST_F(TrainingLoopTest, RefusesRanksThatReadDifferentSamples) {
  if (communicator_->size() == 1) GTEST_SKIP() << "one rank agrees with itself";
  auto samples = tiny_samples();
  if (communicator_->rank() == 1) samples[7].trained[1] = 1;
  Decoder model = tiny_decoder();
  const Loader loader = tiny_loader(*communicator_, 16, 1, 1, samples);
  try {
    train(model, loader, tiny_options(folder("run")), *communicator_, nullptr, nullptr, {});
    FAIL() << "rank 1 would train on another mask";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("rank 1 starts from other samples than rank 0"));
  }
}

TEST_F(TrainingLoopTest, RefusesRanksThatStartFromDifferentWeights) {
  if (communicator_->size() == 1) GTEST_SKIP() << "one rank agrees with itself";
  Decoder model = tiny_decoder(at::kFloat, communicator_->rank() == 1 ? 2 : 1);
  EXPECT_THROW(train(model, tiny_loader(*communicator_, 16, 1), tiny_options(folder("run")), *communicator_, nullptr,
                     nullptr, {}),
               Error);
}

}  // namespace
