#include "monitors/statistics/statistics.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <string>

#include "data/support/error.h"
#include "data/support/random.h"

namespace rim {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

}  // namespace

Interval wilson_interval(std::int64_t successes, std::int64_t trials, double confidence) {
  if (successes < 0 || successes > std::max<std::int64_t>(trials, 0)) {
    throw Error(ExitCode::software, "wilson_interval: " + std::to_string(successes) + " successes of " +
                                        std::to_string(trials) + " trials cannot be");
  }
  if (trials <= 0) return {0, 1};
  const double z = boost::math::quantile(boost::math::normal(), 0.5 + confidence / 2);
  const auto n = static_cast<double>(trials);
  const double rate = static_cast<double>(successes) / n;
  const double scale = 1 / (1 + z * z / n);
  const double centre = scale * (rate + z * z / (2 * n));
  const double half = scale * z * std::sqrt(rate * (1 - rate) / n + z * z / (4 * n * n));
  // At 0 and at n successes one end is exact; rounding must not move it.
  return {successes == 0 ? 0 : std::max(0.0, centre - half), successes == trials ? 1 : std::min(1.0, centre + half)};
}

double quantile(std::vector<double> values, double q) {
  if (values.empty() || std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); })) {
    return kNone;
  }
  std::sort(values.begin(), values.end());
  const double position = std::clamp(q, 0.0, 1.0) * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], position - static_cast<double>(below));
}

double mean(std::span<const double> values) {
  if (values.empty()) return kNone;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<double> without_nan(std::span<const double> values) {
  std::vector<double> present;
  std::ranges::copy_if(values, std::back_inserter(present), [](double value) { return !std::isnan(value); });
  return present;
}

double mean_present(std::span<const double> values) { return mean(without_nan(values)); }

Interval bootstrap_mean_interval(std::span<const double> values, std::uint64_t seed, int draws, double confidence) {
  const std::vector<double> present = without_nan(values);
  if (present.size() < 2) return {kNone, kNone};
  Random random(seed);
  std::vector<double> means;
  for (int draw = 0; draw < draws; ++draw) {
    double sum = 0;
    for (std::size_t i = 0; i < present.size(); ++i) sum += random.pick(present);
    means.push_back(sum / static_cast<double>(present.size()));
  }
  return {quantile(means, 0.5 - confidence / 2), quantile(means, 0.5 + confidence / 2)};
}

ControlSpread control_spread(std::span<const double> draws) {
  const std::vector<double> present = without_nan(draws);
  return {.low = quantile(present, 0.05),
          .median = quantile(present, 0.5),
          .high = quantile(present, 0.95),
          .draws = present.size()};
}

double empirical_p_value(double observed, std::span<const double> null_values) {
  if (std::isnan(observed)) return kNone;
  const auto counted =
      std::count_if(null_values.begin(), null_values.end(), [](double value) { return !std::isnan(value); });
  const auto reached =
      std::count_if(null_values.begin(), null_values.end(), [&](double value) { return value >= observed; });
  return static_cast<double>(1 + reached) / static_cast<double>(1 + counted);
}

}  // namespace rim
