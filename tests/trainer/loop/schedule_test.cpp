// Hand-worked values; tests/trainer/loop/test_loop_against_torch.py compares with transformers' get_scheduler.
#include "trainer/loop/schedule.h"

#include <gtest/gtest.h>

#include "data/support/error.h"

namespace {

using rim::Schedule;
using rim::SchedulerType;

TEST(Schedule, LinearWarmsUpFromZeroAndEndsAtZero) {
  const Schedule schedule{SchedulerType::linear, 8.0, 4, 12};
  EXPECT_DOUBLE_EQ(schedule.at(0), 0.0);
  EXPECT_DOUBLE_EQ(schedule.at(1), 2.0);
  EXPECT_DOUBLE_EQ(schedule.at(4), 8.0);
  EXPECT_DOUBLE_EQ(schedule.at(8), 4.0);
  EXPECT_DOUBLE_EQ(schedule.at(11), 1.0);
  EXPECT_DOUBLE_EQ(schedule.at(12), 0.0);
  EXPECT_DOUBLE_EQ(schedule.at(20), 0.0);
}

TEST(Schedule, CosineIsHalfAPeriod) {
  const Schedule schedule{SchedulerType::cosine, 2.0, 0, 4};
  EXPECT_DOUBLE_EQ(schedule.at(0), 2.0);
  EXPECT_NEAR(schedule.at(1), 1.0 + 0.70710678118654752, 1e-15);
  EXPECT_NEAR(schedule.at(2), 1.0, 1e-15);
  EXPECT_NEAR(schedule.at(4), 0.0, 1e-15);
}

TEST(Schedule, ConstantKeepsItsPeakAfterWarmUp) {
  const Schedule schedule{SchedulerType::constant_with_warmup, 3.0, 2, 4};
  EXPECT_DOUBLE_EQ(schedule.at(0), 0.0);
  EXPECT_DOUBLE_EQ(schedule.at(1), 1.5);
  EXPECT_DOUBLE_EQ(schedule.at(2), 3.0);
  EXPECT_DOUBLE_EQ(schedule.at(400), 3.0);
}

TEST(Schedule, PlainConstantHasNoWarmUp) {
  const Schedule schedule{SchedulerType::constant, 3.0, 2, 4};
  EXPECT_DOUBLE_EQ(schedule.at(0), 3.0);
  EXPECT_DOUBLE_EQ(schedule.at(1), 3.0);
}

TEST(Schedule, WarmUpAsLongAsTheRunNeverDividesByZero) {
  const Schedule schedule{SchedulerType::cosine, 1.0, 4, 4};
  EXPECT_DOUBLE_EQ(schedule.at(3), 0.75);
  EXPECT_DOUBLE_EQ(schedule.at(4), 1.0);
}

TEST(Schedule, NamesAreTransformers) {
  EXPECT_EQ(rim::parse_scheduler_type("linear"), SchedulerType::linear);
  EXPECT_EQ(rim::parse_scheduler_type("cosine"), SchedulerType::cosine);
  EXPECT_EQ(rim::parse_scheduler_type("constant"), SchedulerType::constant);
  EXPECT_EQ(rim::parse_scheduler_type("constant_with_warmup"), SchedulerType::constant_with_warmup);
  EXPECT_THROW(rim::parse_scheduler_type("polynomial"), rim::Error);
}

}  // namespace
