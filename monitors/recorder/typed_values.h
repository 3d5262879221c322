// Reads what has the shape that is asked for, and only that. A run.h5 may come from anybody, and another monitor's
// series may bear any name: what has other axes counts as not recorded. Not thread-safe; all throw as RunReader does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "monitors/recorder/run_reader.h"

namespace rim {

// One value per committed row: [rows]. Nothing where there is no such series or no row.
std::optional<SeriesData> scalar_series(const RunReader& run, const std::string& name);
// A block per committed row: [rows, n, ...], n >= 1. Nothing where there is no such series or no row.
std::optional<SeriesData> block_series(const RunReader& run, const std::string& name);
// Numbers of any shape, at least one.
std::optional<SeriesData> static_numbers(const RunReader& run, const std::string& name);
bool has_static(const RunReader& run, const std::string& name);

// `values` as indices into something of `size`. Nothing where one is no whole number in [0, size).
std::optional<std::vector<std::size_t>> as_indices(const std::vector<double>& values, std::size_t size);

}  // namespace rim
