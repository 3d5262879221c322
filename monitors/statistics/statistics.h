// The statistics that go beside every figure. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rim {

struct Interval {
  double low = 0;
  double high = 0;
};

// Wilson score interval of a rate (Wilson 1927), two-sided. trials = 0 gives [0, 1]. Throws Error(software) for more
// successes than trials.
Interval wilson_interval(std::int64_t successes, std::int64_t trials, double confidence = 0.95);
// Linear-interpolated quantile (NumPy's default), q in [0, 1]. NaN for no values, and where one is NaN.
double quantile(std::vector<double> values, double q);
// NaN for no values.
double mean(std::span<const double> values);
// The values that are not NaN, in their order.
std::vector<double> without_nan(std::span<const double> values);
// Mean of the values that are not NaN; NaN where there is none.
double mean_present(std::span<const double> values);

// Percentile bootstrap of the mean (Efron 1979): `draws` seeded resamples of the values, NaNs left out. Both ends NaN
// for fewer than two values.
Interval bootstrap_mean_interval(std::span<const double> values, std::uint64_t seed, int draws = 1000,
                                 double confidence = 0.95);

// How the control draws lie: the one band that every text and figure beside a null shows.
struct ControlSpread {
  double low = 0, median = 0, high = 0;  // 5%, 50% and 95% quantiles; NaN where no draw has a value
  std::size_t draws = 0;                 // with a value
};
// Draws that are NaN are left out, as empirical_p_value does.
ControlSpread control_spread(std::span<const double> draws);
// (1 + number of null values >= observed) / (1 + number of null values): Phipson and Smyth 2010. Null values
// that are NaN are left out; NaN where nothing was observed.
double empirical_p_value(double observed, std::span<const double> null_values);

}  // namespace rim
