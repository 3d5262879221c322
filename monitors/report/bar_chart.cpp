#include <algorithm>

#include "monitors/report/chart.h"
#include "monitors/report/html.h"
#include "monitors/report/plot_frame.h"

namespace rim::report {
namespace {

// Whole categories only, at most about a dozen.
std::vector<double> category_ticks(std::size_t count) {
  const std::size_t step = std::max<std::size_t>(1, (count + 11) / 12);
  std::vector<double> ticks;
  for (std::size_t i = 0; i < count; i += step) ticks.push_back(static_cast<double>(i));
  return ticks;
}

}  // namespace

std::string draw(const BarChart& chart) {
  PlotFrame frame;
  frame.x_range = {-0.5, static_cast<double>(chart.values.size()) - 0.5};
  const double highest = chart.values.empty() ? 0 : std::ranges::max(chart.values);
  frame.y_range = {0, std::max(1.0, 1.06 * highest)};
  std::string markup = frame.axes(chart.x_label, chart.y_label) + frame.x_ticks(category_ticks(chart.values.size()));
  std::string bars;
  for (std::size_t i = 0; i < chart.values.size(); ++i) {
    const auto category = static_cast<double>(i);
    const double left = frame.x(category - 0.36), top = frame.y(chart.values[i]);
    const std::string tooltip = chart.x_label + " " + to_text(category) + ": " + to_text(chart.values[i]);
    bars += element("rect",
                    {{"class", "bar"},
                     {"data-series", chart.series},
                     {"x", coordinate(left)},
                     {"y", coordinate(top)},
                     {"width", coordinate(frame.x(category + 0.36) - left)},
                     {"height", coordinate(PlotFrame::kBottom - top)},
                     {"rx", "2"}},
                    text_element("title", {}, tooltip));
  }
  return svg_document(chart.id, chart.y_label + " by " + chart.x_label,
                      markup + element("g", {{"class", css_class(CurveStyle::orange)}}, bars));
}

}  // namespace rim::report
