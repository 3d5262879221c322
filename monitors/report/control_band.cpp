#include "monitors/report/control_band.h"

#include <span>

#include "monitors/statistics/statistics.h"

namespace rim::report {
namespace {

// Means of `groups` equal stretches of `values`.
std::vector<double> group_means(std::span<const double> values, std::size_t groups) {
  std::vector<double> means;
  const std::size_t size = groups == 0 ? 0 : values.size() / groups;
  for (std::size_t i = 0; i < groups; ++i) means.push_back(mean_present(values.subspan(i * size, size)));
  return means;
}

}  // namespace

std::int64_t draws_in(const SeriesData& data) { return data.shape.size() < 2 ? 0 : data.shape[1]; }

std::vector<double> mean_per_step(const SeriesData& data) {
  return group_means(data.values, static_cast<std::size_t>(data.shape.front()));
}

Curve control_band(const std::string& series, const SeriesData& draws) {
  Curve curve{series, "", CurveStyle::control, {}, {}, {}};
  const auto steps = static_cast<std::size_t>(draws.shape.front()), count = static_cast<std::size_t>(draws_in(draws));
  const std::size_t row = steps == 0 ? 0 : draws.values.size() / steps;
  for (std::size_t step = 0; step < steps; ++step) {
    const ControlSpread spread = control_spread(group_means(std::span(draws.values).subspan(step * row, row), count));
    curve.low.push_back(spread.low);
    curve.values.push_back(spread.median);
    curve.high.push_back(spread.high);
  }
  curve.label = "controls: median, 5–95% of " + std::to_string(count) + " draws";
  return curve;
}

}  // namespace rim::report
