#include <algorithm>
#include <cmath>

#include "monitors/report/chart.h"
#include "monitors/report/html.h"
#include "monitors/report/marker.h"
#include "monitors/report/plot_frame.h"

namespace rim::report {
namespace {

constexpr std::size_t kMostMarkers = 60;
constexpr double kLabelHeight = 13;

struct Run {
  std::size_t first = 0;
  std::size_t last = 0;  // inclusive
};

// The stretches without a gap: all lists finite.
std::vector<Run> runs_of(const std::vector<const std::vector<double>*>& lists) {
  std::vector<Run> runs;
  bool inside = false;
  for (std::size_t i = 0; i < lists.front()->size(); ++i) {
    const bool good = std::ranges::all_of(lists, [&](const auto* list) { return std::isfinite((*list)[i]); });
    if (good && inside) runs.back().last = i;
    if (good && !inside) runs.push_back({i, i});
    inside = good;
  }
  return runs;
}

std::string point(const PlotFrame& frame, double x, double y) {
  return coordinate(frame.x(x)) + "," + coordinate(frame.y(y));
}

std::string draw_band(const PlotFrame& frame, const std::vector<double>& x, const Curve& curve) {
  if (curve.low.empty()) return "";
  std::string markup;
  for (const Run& run : runs_of({&curve.low, &curve.high})) {
    if (run.first == run.last) {  // one value has no area: its interval is a stroke
      const double at = frame.x(x[run.first]);
      markup += svg_line(at, frame.y(curve.low[run.first]), at, frame.y(curve.high[run.first]), "whisker");
      continue;
    }
    std::string path;
    for (std::size_t i = run.first; i <= run.last; ++i)
      path += (path.empty() ? "M" : "L") + point(frame, x[i], curve.high[i]);
    for (std::size_t i = run.last + 1; i-- > run.first;) path += "L" + point(frame, x[i], curve.low[i]);
    markup += element("path", {{"class", "band"}, {"data-series", curve.series}, {"d", path + "Z"}});
  }
  return markup;
}

std::string draw_curve(const PlotFrame& frame, const LineChart& chart, const Curve& curve) {
  std::string markup;
  for (const Run& run : runs_of({&curve.values})) {
    std::string points;
    for (std::size_t i = run.first; i <= run.last; ++i)
      points += (points.empty() ? "" : " ") + point(frame, chart.x[i], curve.values[i]);
    markup += element("polyline", {{"class", "curve"}, {"data-series", curve.series}, {"points", points}});
  }
  if (chart.x.size() > kMostMarkers) return markup;
  for (std::size_t i = 0; i < chart.x.size(); ++i) {
    if (!std::isfinite(curve.values[i])) continue;
    const std::string tooltip =
        curve.label + ", " + chart.x_label + " " + to_text(chart.x[i]) + ": " + to_text(curve.values[i], chart.form);
    markup += draw_marker(curve.style, frame.x(chart.x[i]), frame.y(curve.values[i]), tooltip);
  }
  return markup;
}

// The last value of each curve beside its end, pushed apart where they would overlap.
std::string draw_end_labels(const PlotFrame& frame, const LineChart& chart) {
  struct Label {
    double y = 0;
    const Curve* curve = nullptr;
  };
  std::vector<Label> labels;
  for (const Curve& curve : chart.curves) {
    if (!curve.values.empty() && std::isfinite(curve.values.back()))
      labels.push_back({frame.y(curve.values.back()), &curve});
  }
  std::ranges::sort(labels, {}, &Label::y);
  for (std::size_t i = 1; i < labels.size(); ++i) labels[i].y = std::max(labels[i].y, labels[i - 1].y + kLabelHeight);
  double floor = PlotFrame::kBottom;
  std::string markup;
  for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
    label->y = std::min(label->y, floor);
    floor = label->y - kLabelHeight;
    markup += svg_text(PlotFrame::kRight + 9, label->y + 4, "end " + css_class(label->curve->style), "start",
                       to_short_text(label->curve->values.back(), chart.form));
  }
  return markup;
}

bool is_marked(const LineChart& chart, double mark) {
  return !chart.x.empty() && mark >= chart.x.front() && mark <= chart.x.back();
}

std::string draw_marks(const PlotFrame& frame, const LineChart& chart) {
  std::string markup;
  for (const double mark : chart.marks) {
    if (!is_marked(chart, mark)) continue;
    markup += svg_line(frame.x(mark), PlotFrame::kTop, frame.x(mark), PlotFrame::kBottom, "mark");
  }
  return markup;
}

Range y_range_of(const LineChart& chart) {
  if (chart.unit_range) return {0, 1};
  std::vector<std::vector<double>> lists;
  for (const Curve& curve : chart.curves) lists.insert(lists.end(), {curve.values, curve.low, curve.high});
  return range_of(lists);
}

}  // namespace

std::string draw(const LineChart& chart) {
  PlotFrame frame;
  frame.form = chart.form;
  frame.y_range = y_range_of(chart);
  if (!chart.x.empty()) frame.x_range = {chart.x.front(), chart.x.back()};
  std::string markup = frame.axes(chart.x_label, chart.y_label) + frame.x_ticks(round_ticks(frame.x_range, 6)) +
                       draw_marks(frame, chart);
  for (const Curve& curve : chart.curves) {
    markup += element("g", {{"class", css_class(curve.style)}}, draw_band(frame, chart.x, curve));
  }
  for (const Curve& curve : chart.curves) {
    markup += element("g", {{"class", css_class(curve.style)}}, draw_curve(frame, chart, curve));
  }
  return svg_document(chart.id, chart.y_label + " over " + chart.x_label, markup + draw_end_labels(frame, chart));
}

std::string marks_in_words(const LineChart& chart) {
  std::string steps;
  std::size_t count = 0;
  for (const double mark : chart.marks) {
    if (!is_marked(chart, mark)) continue;
    steps += (count++ == 0 ? "" : ", ") + to_text(mark);
  }
  if (count == 0) return "";
  return "resumed after " + chart.x_label + (count == 1 ? " " : "s ") + steps;
}

std::string draw_sparkline(const std::vector<double>& values, const Range& range, CurveStyle style) {
  if (values.size() < 2) return "";
  std::string points;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    const double x = 2 + 76 * static_cast<double>(i) / static_cast<double>(values.size() - 1);
    const double y = 22 - 20 * (values[i] - range.low) / (range.high - range.low);
    points += (points.empty() ? "" : " ") + coordinate(x) + "," + coordinate(y);
  }
  return element("svg", {{"class", "spark " + css_class(style)}, {"viewBox", "0 0 80 24"}, {"aria-hidden", "true"}},
                 element("polyline", {{"class", "curve"}, {"points", points}}));
}

}  // namespace rim::report
