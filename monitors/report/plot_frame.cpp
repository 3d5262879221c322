#include "monitors/report/plot_frame.h"

#include "monitors/report/html.h"

namespace rim::report {
namespace {

double place(double value, const Range& range, double from, double to) {
  const double spread = range.high - range.low;
  return spread > 0 ? from + (value - range.low) / spread * (to - from) : (from + to) / 2;
}

}  // namespace

double PlotFrame::x(double value) const { return place(value, x_range, kLeft, kRight); }
double PlotFrame::y(double value) const { return place(value, y_range, kBottom, kTop); }

std::string PlotFrame::axes(const std::string& x_label, const std::string& y_label) const {
  std::string markup;
  const std::vector<double> ticks = round_ticks(y_range, 5);
  const std::vector<std::string> labels = tick_labels(ticks, form);
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    markup += svg_line(kLeft, y(ticks[i]), kRight, y(ticks[i]), "grid");
    markup += svg_text(kLeft - 8, y(ticks[i]) + 4, "tick", "end", labels[i]);
  }
  markup += svg_line(kLeft, kBottom, kRight, kBottom, "axis");
  markup += svg_text(kLeft - 38, kTop - 16, "label", "start", y_label);
  return markup + svg_text(kRight, kBottom + 35, "label", "end", x_label);
}

std::string PlotFrame::x_ticks(const std::vector<double>& ticks) const {
  std::string markup;
  const std::vector<std::string> labels = tick_labels(ticks, NumberForm::plain, 9);
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    markup += svg_line(x(ticks[i]), kBottom, x(ticks[i]), kBottom + 5, "axis");
    markup += svg_text(x(ticks[i]), kBottom + 19, "tick", "middle", labels[i]);
  }
  return markup;
}

std::string svg_text(double x, double y, const std::string& css, const std::string& anchor, const std::string& text) {
  return text_element("text", {{"class", css}, {"x", coordinate(x)}, {"y", coordinate(y)}, {"text-anchor", anchor}},
                      text);
}

std::string svg_line(double x1, double y1, double x2, double y2, const std::string& css) {
  return element(
      "line",
      {{"class", css}, {"x1", coordinate(x1)}, {"y1", coordinate(y1)}, {"x2", coordinate(x2)}, {"y2", coordinate(y2)}});
}

std::string svg_document(const std::string& id, const std::string& label, const std::string& markup) {
  return element("svg",
                 {{"id", id},
                  {"viewBox", "0 0 " + coordinate(PlotFrame::kWidth) + " " + coordinate(PlotFrame::kHeight)},
                  {"role", "img"},
                  {"aria-label", label}},
                 markup);
}

}  // namespace rim::report
