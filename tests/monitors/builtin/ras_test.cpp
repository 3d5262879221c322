#include "monitors/builtin/ras.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "data/support/error.h"

namespace rim {
namespace {

RasValue ras_of(const std::vector<float>& safety_base, const std::vector<float>& safety_now,
                const std::vector<float>& task_base, const std::vector<float>& task_now, const RasRule& rule = {}) {
  return reciprocal_activation_shift(
      {.safety_base = safety_base, .safety_now = safety_now, .task_base = task_base, .task_now = task_now}, rule);
}

TEST(Ras, OfOneNeuronByHand) {
  // d_safe = 5 - 2 = 3, d_task = 7 - 1 = 6: 2 * 3 * 6 / 9 = 4.
  const RasValue value = ras_of({5}, {2}, {1}, {7});
  EXPECT_DOUBLE_EQ(value.d_safe, 3);
  EXPECT_DOUBLE_EQ(value.d_task, 6);
  EXPECT_DOUBLE_EQ(value.ras, 4);
}

TEST(Ras, ANegativePartCountsAsNoneUnlessSigned) {
  // d_safe = -1, d_task = 6.
  EXPECT_DOUBLE_EQ(ras_of({1}, {2}, {1}, {7}).ras, 0);
  EXPECT_DOUBLE_EQ(ras_of({1}, {2}, {1}, {7}).d_safe, -1) << "parts are reported unclipped";
  EXPECT_DOUBLE_EQ(ras_of({1}, {2}, {1}, {7}, {.negative = NegativeShift::keep_signed}).ras, -12.0 / 5);
  // Both negative: -1, -3.
  EXPECT_DOUBLE_EQ(ras_of({1}, {2}, {4}, {1}).ras, 0);
  EXPECT_DOUBLE_EQ(ras_of({1}, {2}, {4}, {1}, {.negative = NegativeShift::keep_signed}).ras, -1.5);
}

TEST(Ras, ZeroParts) {
  EXPECT_DOUBLE_EQ(ras_of({1}, {1}, {2}, {2}).ras, 0) << "nothing moved: 0, not 0/0";
  EXPECT_DOUBLE_EQ(ras_of({1}, {1}, {2}, {9}).ras, 0);
  EXPECT_DOUBLE_EQ(ras_of({3}, {1}, {2}, {2}).ras, 0);
}

TEST(Ras, AveragesOverTheSetFirstByDefault) {
  // Neuron 0: d_safe 4, d_task 0. Neuron 1: d_safe 0, d_task 2. Together 2 and 1: 2 * 2 / 3.
  const std::vector<float> safety_base{5, 1}, safety_now{1, 1}, task_base{1, 1}, task_now{1, 3};
  EXPECT_DOUBLE_EQ(ras_of(safety_base, safety_now, task_base, task_now).ras, 4.0 / 3);
  const RasValue each = ras_of(safety_base, safety_now, task_base, task_now, {.level = ShiftLevel::neuron});
  EXPECT_DOUBLE_EQ(each.ras, 0);
  EXPECT_DOUBLE_EQ(each.d_safe, 2);
  EXPECT_DOUBLE_EQ(each.d_task, 1);
}

TEST(Ras, NormalisedByTheBaseIsFreeOfScale) {
  const RasRule rule{.scale = ShiftScale::base};
  // Mean absolute base activations 3 and 2: d_safe = (-1 - -3) / 3, d_task = (5 - 0) / 2.
  const RasValue value = ras_of({2, -4}, {-3, -3}, {2, -2}, {5, 5}, rule);
  EXPECT_DOUBLE_EQ(value.d_safe, 2.0 / 3);
  EXPECT_DOUBLE_EQ(value.d_task, 2.5);
  const RasValue doubled = ras_of({4, -8}, {-6, -6}, {4, -4}, {10, 10}, rule);
  EXPECT_DOUBLE_EQ(doubled.ras, value.ras);
}

TEST(Ras, OtherMeans) {
  EXPECT_DOUBLE_EQ(combine_shifts(2, 8, {.mean = ShiftMean::geometric}), 4);
  EXPECT_DOUBLE_EQ(combine_shifts(2, 8, {.mean = ShiftMean::minimum}), 2);
  EXPECT_DOUBLE_EQ(combine_shifts(-2, 8, {.mean = ShiftMean::geometric}), 0);
  EXPECT_TRUE(
      std::isnan(combine_shifts(-2, -8, {.negative = NegativeShift::keep_signed, .mean = ShiftMean::geometric})));
}

TEST(Ras, NaNStaysNaN) {
  for (const ShiftMean mean : {ShiftMean::harmonic, ShiftMean::geometric, ShiftMean::minimum}) {
    EXPECT_TRUE(std::isnan(combine_shifts(std::nan(""), 1, {.mean = mean})));
    EXPECT_TRUE(std::isnan(combine_shifts(1, std::nan(""), {.mean = mean})));
  }
}

TEST(Ras, OfNoNeuronsIsUndefined) {
  const RasValue value = ras_of({}, {}, {}, {});
  EXPECT_TRUE(std::isnan(value.ras));
  EXPECT_TRUE(std::isnan(value.d_safe));
  EXPECT_TRUE(std::isnan(value.d_task));
}

TEST(Ras, RefusesSetsOfDifferentSize) { EXPECT_THROW(ras_of({1, 2}, {1}, {1, 2}, {1, 2}), Error); }

}  // namespace
}  // namespace rim
