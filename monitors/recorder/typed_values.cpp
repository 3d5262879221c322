#include "monitors/recorder/typed_values.h"

#include <algorithm>
#include <cmath>

namespace rim {
namespace {

std::optional<SeriesData> series_with_rows(const RunReader& run, const std::string& name) {
  if (!run.has_series(name)) return std::nullopt;
  SeriesData data = run.series(name);
  if (data.shape.empty() || data.shape.front() == 0) return std::nullopt;
  return data;
}

}  // namespace

std::optional<SeriesData> scalar_series(const RunReader& run, const std::string& name) {
  std::optional<SeriesData> data = series_with_rows(run, name);
  if (data && data->shape.size() != 1) data.reset();
  return data;
}

std::optional<SeriesData> block_series(const RunReader& run, const std::string& name) {
  std::optional<SeriesData> data = series_with_rows(run, name);
  if (data && (data->shape.size() < 2 || data->shape[1] == 0)) data.reset();
  return data;
}

std::optional<SeriesData> static_numbers(const RunReader& run, const std::string& name) {
  if (!has_static(run, name)) return std::nullopt;
  SeriesData data = run.static_array(name);
  return data.values.empty() ? std::nullopt : std::optional(std::move(data));
}

bool has_static(const RunReader& run, const std::string& name) {
  return std::ranges::binary_search(run.static_names(), name);
}

std::optional<std::vector<std::size_t>> as_indices(const std::vector<double>& values, std::size_t size) {
  std::vector<std::size_t> indices;
  for (const double value : values) {
    // NaN fails the first comparison: what passes can be converted.
    const bool index = value >= 0 && value < static_cast<double>(size) && value == std::floor(value);
    if (!index) return std::nullopt;
    indices.push_back(static_cast<std::size_t>(value));
  }
  return indices;
}

}  // namespace rim
