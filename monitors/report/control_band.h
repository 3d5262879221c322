// Values of control draws as a curve: their median, and the band that holds the middle 90%.
#pragma once

#include <string>

#include "monitors/recorder/run_reader.h"
#include "monitors/report/chart.h"

namespace rim::report {

// `draws` is [steps, draws] or [steps, draws, ...]; what lies after the draws is averaged. NaNs are left out.
Curve control_band(const std::string& series, const SeriesData& draws);
// The mean over all axes but the first: [steps, ...] to one value per step. NaN where all are NaN.
std::vector<double> mean_per_step(const SeriesData& data);
// The axis after the steps; 0 where there is none.
std::int64_t draws_in(const SeriesData& data);

}  // namespace rim::report
