#include "launch/verbs/run_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/support/error.h"
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
  status.write("finished", 10);
  EXPECT_EQ(read_json_file(path).at("step"), 10);
  std::filesystem::remove(path);
}

TEST(RunStatus, TrainingDoesNotEndForAnUpdateThatCannotBeWritten) {
  RunStatus status("/nonexistent/status.json", "id", 10);
  EXPECT_THAT(status.update(1), Optional(HasSubstr("/nonexistent/status.json")));
  EXPECT_THROW(status.write("finished", 10), Error);
}

}  // namespace
}  // namespace rim
