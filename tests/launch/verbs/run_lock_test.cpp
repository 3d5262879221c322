#include "launch/verbs/run_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "data/support/error.h"

namespace rim {
namespace {

using ::testing::HasSubstr;

class RunLockTest : public ::testing::Test {
 protected:
  RunLockTest() { std::filesystem::create_directories(folder_); }
  ~RunLockTest() override { std::filesystem::remove_all(folder_); }
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("rimscope-run-lock-" + std::to_string(::getpid()));
};

TEST_F(RunLockTest, ASecondRunIsRefusedUntilTheFirstIsGone) {
  {
    const RunLock first(folder_);
    try {
      const RunLock second(folder_, std::chrono::milliseconds(0));
      FAIL() << "two runs hold one folder";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::config);
      EXPECT_THAT(error.what(), HasSubstr("process " + std::to_string(::getpid()) + " on "));
    }
  }
  EXPECT_NO_THROW(RunLock(folder_, std::chrono::milliseconds(0)));
}

TEST_F(RunLockTest, AFolderThatIsNotThereIsNamed) {
  try {
    const RunLock lock(folder_ / "absent");
    FAIL() << "there is no such folder";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input_output);
    EXPECT_THAT(error.what(), HasSubstr("absent/.lock"));
  }
}

}  // namespace
}  // namespace rim
