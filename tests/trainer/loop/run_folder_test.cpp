#include "trainer/loop/run_folder.h"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "data/support/files.h"
#include "tests/trainer/alone.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/trainer_state.h"
#include "trainer/loop/step_log.h"

namespace {

namespace fs = std::filesystem;
using namespace rim;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class RunFolderTest : public ::testing::Test {
 protected:
  fs::path save(std::int64_t step) {
    CheckpointContent content;
    content.step = step;
    content.progress = {{"run_id", "first"}};
    content.weights = {{"weight", at::full({2}, step, at::kFloat)}};
    return save_checkpoint(checkpoints_folder(run_), content, {});
  }

  rim::testing::AloneCommunicator alone_;
  rim::testing::SharedFolder shared_{alone_};
  const fs::path run_ = shared_.path();
  std::vector<std::string> notes_;
};

TEST_F(RunFolderTest, AutoFindsTheNewestAndNothingInAnEmptyFolder) {
  EXPECT_EQ(find_resume_checkpoint(run_, "auto", notes_), std::nullopt);
  EXPECT_FALSE(holds_checkpoints(run_));
  save(2);
  const fs::path newest = save(10);
  EXPECT_TRUE(holds_checkpoints(run_));
  EXPECT_EQ(find_resume_checkpoint(run_, "auto", notes_), newest);
  EXPECT_EQ(find_resume_checkpoint(run_, "", notes_), std::nullopt);
  EXPECT_EQ(run_id_of_checkpoint(newest), "first");
}

TEST_F(RunFolderTest, ANamedFolderMustExist) {
  EXPECT_EQ(find_resume_checkpoint(run_, save(2), notes_), checkpoints_folder(run_) / "step-000002");
  EXPECT_THROW(find_resume_checkpoint(run_, run_ / "nowhere", notes_), Error);
}

TEST_F(RunFolderTest, OnlyDamagedCheckpointsAreNotSilentlyStartedOver) {
  fs::resize_file(save(2) / "model.safetensors", 3);
  try {
    find_resume_checkpoint(run_, "auto", notes_);
    FAIL() << "the only checkpoint is damaged";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    EXPECT_THAT(error.what(), HasSubstr("model.safetensors"));
  }
}

TEST_F(RunFolderTest, UnfinishedCheckpointsAloneMeanAFreshStart) {
  fs::remove(save(2) / "DONE");
  EXPECT_FALSE(holds_checkpoints(run_));
  EXPECT_EQ(find_resume_checkpoint(run_, "auto", notes_), std::nullopt);
  EXPECT_EQ(notes_.size(), 1U);
}

TEST_F(RunFolderTest, LaterCheckpointsAreSetAside) {
  save(2);
  save(4);
  const auto moved = set_aside_later_checkpoints(run_, 2);
  EXPECT_THAT(moved, ElementsAre(checkpoints_folder(run_) / "step-000004.abandoned"));
  EXPECT_EQ(find_resume_checkpoint(run_, "auto", notes_), checkpoints_folder(run_) / "step-000002");
}

TEST_F(RunFolderTest, NoBranchThatWasSetAsideIsLost) {
  save(2);
  for (const char* expected : {"step-000004.abandoned", "step-000004.abandoned-2", "step-000004.abandoned-3"}) {
    save(4);
    EXPECT_THAT(set_aside_later_checkpoints(run_, 2), ElementsAre(checkpoints_folder(run_) / expected));
    EXPECT_TRUE(is_abandoned(checkpoints_folder(run_) / expected));
    EXPECT_TRUE(is_done(checkpoints_folder(run_) / expected));
  }
  for (const char* other : {"step-000004", "mine.abandoned", "step-000004.incomplete"}) {
    EXPECT_FALSE(is_abandoned(checkpoints_folder(run_) / other));
  }
  remove_checkpoints(run_);
  EXPECT_FALSE(fs::exists(checkpoints_folder(run_)));
}

TEST_F(RunFolderTest, OnlyCheckpointsAreRemoved) {
  save(2);
  save(4);
  set_aside_later_checkpoints(run_, 2);
  fs::create_directories(checkpoints_folder(run_) / "step-000006.incomplete");
  write_file_atomically(log_file(run_), "{}\n");
  for (const char* foreign : {"checkpoint-500", "step-7", "mine.abandoned"}) {
    fs::create_directories(checkpoints_folder(run_) / foreign);
    write_file_atomically(checkpoints_folder(run_) / foreign / "model.safetensors", "weights");
  }
  remove_checkpoints(run_);
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(checkpoints_folder(run_))) left.push_back(entry.path().filename());
  EXPECT_THAT(left, UnorderedElementsAre("checkpoint-500", "step-7", "mine.abandoned"));
  EXPECT_TRUE(fs::exists(log_file(run_)));
}

TEST_F(RunFolderTest, AStrangersFolderWithACheckpointsNameStaysAndIsInTheWayOfLaterSteps) {
  save(2);
  const fs::path foreign = checkpoints_folder(run_) / "step-000006";
  fs::create_directories(foreign);
  write_file_atomically(foreign / "model.safetensors", "weights");
  EXPECT_EQ(find_resume_checkpoint(run_, "auto", notes_), checkpoints_folder(run_) / "step-000002");
  EXPECT_TRUE(notes_.empty());
  EXPECT_NO_THROW(refuse_foreign_checkpoints(run_, 6));
  try {
    refuse_foreign_checkpoints(run_, 5);
    FAIL() << "step 6 could not be saved";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_THAT(error.what(), HasSubstr("step-000006"));
  }
  remove_checkpoints(run_);
  EXPECT_EQ(read_text_file(foreign / "model.safetensors"), "weights");
}

TEST_F(RunFolderTest, AFolderOfCheckpointsThatIsEmptyGoesToo) {
  save(2);
  remove_checkpoints(run_);
  EXPECT_FALSE(fs::exists(checkpoints_folder(run_)));
  remove_checkpoints(run_);
}

std::vector<std::int64_t> logged_steps(const fs::path& path) {
  std::vector<std::int64_t> steps;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) steps.push_back(Json::parse(line).at("step"));
  return steps;
}

TEST_F(RunFolderTest, LogIsCutBackToTheResumedStepAndTornLinesGo) {
  {
    StepLog log(log_file(run_), 0);
    for (std::int64_t step = 1; step <= 5; ++step) {
      StepRecord record;
      record.step = step;
      log.append(record);
    }
  }
  std::ofstream(log_file(run_), std::ios::app) << R"({"step": 3, "lo)";
  StepLog log(log_file(run_), 3);
  StepRecord next;
  next.step = 4;
  next.loss = 0.1;
  log.append(next);
  log.sync();
  EXPECT_THAT(logged_steps(log_file(run_)), ElementsAre(1, 2, 3, 4));
  std::ifstream file(log_file(run_));
  std::string last;
  for (std::string line; std::getline(file, line);) last = line;
  EXPECT_EQ(last, R"({"step":4,"loss":0.1,"learning_rate":0.0,"grad_norm":0.0,"tokens":0,"seconds":0.0})");
}

TEST_F(RunFolderTest, ALogThatCannotBeWrittenNamesItself) {
  try {
    const StepLog log(run_ / "absent" / "log.jsonl", 0);
    FAIL() << "the folder does not exist";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input_output);
    EXPECT_THAT(error.what(), HasSubstr("absent/log.jsonl"));
  }
}

}  // namespace
