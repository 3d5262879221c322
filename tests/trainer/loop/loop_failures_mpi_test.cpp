// What ends a run on all ranks at once, on 1, 2 and 4 ranks. Every test is collective.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

#include "data/support/files.h"
#include "tests/trainer/loop/training_loop_fixture.h"
#include "trainer/checkpoint/checkpoint_folders.h"

namespace {

using namespace rim;
using namespace rim::testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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
