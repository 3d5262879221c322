#include "data/support/processor_quota.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <random>
#include <string>

namespace rim {
namespace {

namespace fs = std::filesystem;

class ProcessorQuota : public testing::Test {
 protected:
  ~ProcessorQuota() override { fs::remove_all(root_); }
  void write(const fs::path& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  [[nodiscard]] double quota() const { return processor_quota(root_ / "groups", root_ / "self"); }

  const fs::path root_ = fs::temp_directory_path() / ("rimscope-quota-" + std::to_string(std::random_device{}()));
};

TEST_F(ProcessorQuota, AContainersOwnGroupIsAtTheRoot) {
  write("self", "0::/\n");
  write("groups/cpu.max", "150000 100000\n");
  EXPECT_DOUBLE_EQ(quota(), 1.5);
}

TEST_F(ProcessorQuota, TheSmallestOfTheGroupsAroundCounts) {
  write("self", "0::/user.slice/job.scope\n");
  write("groups/user.slice/cpu.max", "400000 100000\n");
  write("groups/user.slice/job.scope/cpu.max", "max 100000\n");
  EXPECT_DOUBLE_EQ(quota(), 4);
  write("groups/user.slice/job.scope/cpu.max", "100000 50000\n");
  EXPECT_DOUBLE_EQ(quota(), 2);
}

TEST_F(ProcessorQuota, APathOfTheHostIsNoHindrance) {
  write("self", "0::/docker/0123abcd\n");
  write("groups/cpu.max", "300000 100000\n");
  EXPECT_DOUBLE_EQ(quota(), 3);
}

TEST_F(ProcessorQuota, Version1HasTwoFiles) {
  write("self", "5:memory:/elsewhere\n4:cpu,cpuacct:/box\n3:cpuset:/\n");
  write("groups/cpu/cpu.cfs_quota_us", "-1\n");
  write("groups/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_TRUE(std::isinf(quota()));
  write("groups/cpu/box/cpu.cfs_quota_us", "250000\n");
  write("groups/cpu/box/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(quota(), 2.5);
}

TEST_F(ProcessorQuota, WithoutGroupsOrWithUnreadableOnesThereIsNoLimit) {
  EXPECT_TRUE(std::isinf(quota()));
  write("self", "0::/\nnonsense\n");
  EXPECT_TRUE(std::isinf(quota()));
  write("groups/cpu.max", "many few\n");
  EXPECT_TRUE(std::isinf(quota()));
  write("groups/cpu.max", "0 0\n");
  EXPECT_TRUE(std::isinf(quota()));
}

}  // namespace
}  // namespace rim
