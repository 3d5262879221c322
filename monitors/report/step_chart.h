// Charts over the steps of a run.
#pragma once

#include <string>
#include <vector>

#include "monitors/recorder/run_reader.h"
#include "monitors/report/chart.h"

namespace rim::report {

// The committed steps as the x axis of charts.
std::vector<double> step_axis(const RunReader& run);
// The steps after which the run was resumed, each once, rising.
std::vector<double> resumed_after(const RunReader& run);
// Without curves yet.
LineChart step_chart(const RunReader& run, const std::string& id, const std::string& y_label);

}  // namespace rim::report
