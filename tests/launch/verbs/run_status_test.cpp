#include "launch/verbs/run_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "data/support/error.h"
#include "data/support/host.h"
#include "data/support/json.h"

namespace rim {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

TEST(RunStatus, UpdatesSayThatTheRunIsRunning) {
  const auto path = std::filesystem::temp_directory_path() / "rimscope-run-status-test.json";
  RunStatus status(path, "id", 10);
  EXPECT_EQ(status.update(3), std::nullopt);
  EXPECT_EQ(read_json_file(path).at("state"), "running");
  EXPECT_EQ(status.update(4), std::nullopt);
  EXPECT_EQ(read_json_file(path).at("step"), 3) << "not every step is worth a file";
  EXPECT_EQ(status.step(), 4);
  note_failure(path, "rank 1 of 2 (node): disk full");
  const Json failed = read_json_file(path);
  EXPECT_EQ(failed.at("state"), "failed");
  EXPECT_EQ(failed.at("message"), "rank 1 of 2 (node): disk full");
  EXPECT_EQ(failed.at("step"), 3) << "as rank 0 wrote it last";
  status.write("finished", 10);
  const Json finished = read_json_file(path);
  EXPECT_EQ(finished.at("step"), 10);
  EXPECT_EQ(finished.at("pid"), ::getpid());
  EXPECT_EQ(finished.at("host"), host_name());
  EXPECT_FALSE(finished.contains("message"));
  std::filesystem::remove(path);
}

TEST(RunStatus, TrainingDoesNotEndForAnUpdateThatCannotBeWritten) {
  RunStatus status("/nonexistent/status.json", "id", 10);
  EXPECT_THAT(status.update(1), Optional(HasSubstr("/nonexistent/status.json")));
  EXPECT_THROW(status.write("finished", 10), Error);
}

}  // namespace
}  // namespace rim
