#include "monitors/report/step_chart.h"

#include <set>

namespace rim::report {

std::vector<double> step_axis(const RunReader& run) {
  const std::vector<std::int64_t> steps = run.steps();
  return {steps.begin(), steps.end()};
}

std::vector<double> resumed_after(const RunReader& run) {
  std::set<std::int64_t> steps;
  for (const RunResumption& resumption : run.resumptions()) steps.insert(resumption.after_step);
  return {steps.begin(), steps.end()};
}

LineChart step_chart(const RunReader& run, const std::string& id, const std::string& y_label) {
  LineChart chart{.id = id, .x_label = "step", .y_label = y_label, .x = step_axis(run), .curves = {}};
  chart.marks = resumed_after(run);
  return chart;
}

}  // namespace rim::report
