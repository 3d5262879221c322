#include "monitors/statistics/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "data/support/error.h"

namespace rim {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3: the score interval to four places.
TEST(WilsonInterval, AgreesWithThePublishedTable) {
  struct Row {
    std::int64_t successes, trials;
    double low, high;
  };
  for (const Row& row : {Row{81, 263, 0.2553, 0.3662}, Row{15, 148, 0.0624, 0.1605}, Row{0, 20, 0.0000, 0.1611},
                         Row{1, 29, 0.0061, 0.1718}}) {
    const Interval interval = wilson_interval(row.successes, row.trials);
    EXPECT_NEAR(interval.low, row.low, 5e-5);
    EXPECT_NEAR(interval.high, row.high, 5e-5);
  }
}

// The formula worked in Python with statistics.NormalDist().inv_cdf.
TEST(WilsonInterval, AgreesWithPythonToDoublePrecision) {
  EXPECT_NEAR(wilson_interval(10, 20).low, 0.2992980081982124, 1e-14);
  EXPECT_NEAR(wilson_interval(10, 20).high, 0.7007019918017877, 1e-14);
  EXPECT_NEAR(wilson_interval(3, 7, 0.99).low, 0.11637368051613818, 1e-14);
  EXPECT_NEAR(wilson_interval(3, 7, 0.99).high, 0.8102850959116122, 1e-14);
}

TEST(WilsonInterval, EndsAreExactAndNoTrialsSayNothing) {
  EXPECT_EQ(wilson_interval(0, 10).low, 0);
  EXPECT_EQ(wilson_interval(10, 10).high, 1);
  EXPECT_EQ(wilson_interval(0, 0).low, 0);
  EXPECT_EQ(wilson_interval(0, 0).high, 1);
}

TEST(WilsonInterval, RefusesMoreSuccessesThanTrials) {
  EXPECT_THROW(wilson_interval(3, 2), Error);
  EXPECT_THROW(wilson_interval(-1, 2), Error);
  EXPECT_THROW(wilson_interval(1, 0), Error);
}

// numpy.quantile([3, 1, 4, 1, 5, 9, 2, 6], q)
TEST(Quantile, InterpolatesLinearlyAsNumPyDoes) {
  const std::vector<double> values{3, 1, 4, 1, 5, 9, 2, 6};
  EXPECT_EQ(quantile(values, 0), 1);
  EXPECT_EQ(quantile(values, 0.05), 1);
  EXPECT_EQ(quantile(values, 0.25), 1.75);
  EXPECT_EQ(quantile(values, 0.5), 3.5);
  EXPECT_NEAR(quantile(values, 0.9), 6.9, 1e-14);
  EXPECT_NEAR(quantile(values, 0.95), 7.95, 1e-14);
  EXPECT_EQ(quantile(values, 1), 9);
}

TEST(Quantile, OfOneValueOfNoneAndOfNaN) {
  EXPECT_EQ(quantile({7}, 0.3), 7);
  EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
  EXPECT_TRUE(std::isnan(quantile({1, kNaN, 3}, 0.5)));
}

TEST(Mean, IsTheSumOverTheCount) {
  const std::vector<double> values{1, 2, 6};
  EXPECT_EQ(mean(values), 3);
  EXPECT_TRUE(std::isnan(mean({})));
}

TEST(MeanPresent, LeavesNaNOut) {
  EXPECT_EQ(mean_present(std::vector<double>{1, kNaN, 3}), 2);
  EXPECT_TRUE(std::isnan(mean_present(std::vector<double>{kNaN})));
  EXPECT_TRUE(std::isnan(mean_present({})));
}

// numpy.quantile([1, 3, 5, 7], [0.05, 0.5, 0.95])
TEST(ControlSpread, IsMedianAndMiddleNinetyPercentWithoutNaN) {
  const ControlSpread spread = control_spread(std::vector<double>{7, kNaN, 1, 5, 3});
  EXPECT_NEAR(spread.low, 1.3, 1e-12);
  EXPECT_EQ(spread.median, 4);
  EXPECT_NEAR(spread.high, 6.7, 1e-12);
  EXPECT_EQ(spread.draws, 4U);
  EXPECT_TRUE(std::isnan(control_spread(std::vector<double>{kNaN}).median));
  EXPECT_EQ(control_spread({}).draws, 0U);
}

// (1 + #{null >= observed}) / (1 + B), by hand.
TEST(EmpiricalPValue, CountsTiesAndNeverIsZero) {
  const std::vector<double> null_values{0.1, 0.2, 0.3, 0.4};
  EXPECT_EQ(empirical_p_value(1.0, null_values), 1.0 / 5);
  EXPECT_EQ(empirical_p_value(0.3, null_values), 3.0 / 5);
  EXPECT_EQ(empirical_p_value(0.0, null_values), 1);
  EXPECT_EQ(empirical_p_value(0.0, {}), 1);
}

TEST(EmpiricalPValue, LeavesNaNsOut) {
  const std::vector<double> null_values{kNaN, 0.5};
  EXPECT_EQ(empirical_p_value(1.0, null_values), 1.0 / 2);
  EXPECT_TRUE(std::isnan(empirical_p_value(kNaN, null_values)));
}

// Of n values the bootstrap's mean is near normal with standard error sqrt(population variance / n).
TEST(Bootstrap, IsTheNormalIntervalOfManyValues) {
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) values.push_back(i % 2 == 0 ? 1.0 : 3.0);  // mean 2, variance 1
  const Interval interval = bootstrap_mean_interval(values, 1);
  EXPECT_NEAR(interval.low, 2 - 1.96 / 20, 0.012);
  EXPECT_NEAR(interval.high, 2 + 1.96 / 20, 0.012);
  EXPECT_EQ(bootstrap_mean_interval(values, 1).low, interval.low) << "seeded";
  EXPECT_NE(bootstrap_mean_interval(values, 2).low, interval.low);
}

// Means of two draws from {0, 1}: 0, 1/2, 1/2, 1 with a quarter each, so that 95% of them span all of it.
TEST(Bootstrap, OfFewValuesAndNone) {
  const std::vector<double> two{0, std::nan(""), 1};
  EXPECT_EQ(bootstrap_mean_interval(two, 1).low, 0);
  EXPECT_EQ(bootstrap_mean_interval(two, 1).high, 1);
  EXPECT_EQ(bootstrap_mean_interval(std::vector<double>(5, 0.25), 1).low, 0.25);
  EXPECT_TRUE(std::isnan(bootstrap_mean_interval(std::vector<double>{1}, 1).low));
  EXPECT_TRUE(std::isnan(bootstrap_mean_interval(std::vector<double>{}, 1).high));
}

}  // namespace
}  // namespace rim
