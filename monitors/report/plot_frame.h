// The part that all charts share: a drawing area with axes, ticks and labels.
#pragma once

#include <string>
#include <vector>

#include "monitors/report/numbers.h"

namespace rim::report {

// Maps values to SVG units. y grows upwards in values and downwards in SVG.
struct PlotFrame {
  static constexpr double kWidth = 420, kHeight = 272;
  static constexpr double kLeft = 44, kRight = 354, kTop = 32, kBottom = 232;

  Range x_range, y_range;
  NumberForm form = NumberForm::plain;

  [[nodiscard]] double x(double value) const;
  [[nodiscard]] double y(double value) const;
  // Grid lines and tick labels of the y axis, the x axis' line, and both axes' names.
  [[nodiscard]] std::string axes(const std::string& x_label, const std::string& y_label) const;
  [[nodiscard]] std::string x_ticks(const std::vector<double>& ticks) const;
};

std::string svg_text(double x, double y, const std::string& css, const std::string& anchor, const std::string& text);
std::string svg_line(double x1, double y1, double x2, double y2, const std::string& css);
// The whole drawing; `label` is read out to those who cannot see it.
std::string svg_document(const std::string& id, const std::string& label, const std::string& markup);

}  // namespace rim::report
