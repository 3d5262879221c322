// Charts as inline SVG: no scripts, coloured by the page's style sheet, readable without colour.
#pragma once

#include <string>
#include <vector>

#include "monitors/report/numbers.h"

namespace rim::report {

// Colour, dash and marker go together, so that each alone tells curves apart.
enum class CurveStyle { orange, blue, green, purple, control };

struct Curve {
  std::string series;  // name in run.h5; the data-series attribute
  std::string label;
  CurveStyle style = CurveStyle::orange;
  std::vector<double> values;     // one per x; NaN: a gap
  std::vector<double> low, high;  // the band around it; empty: none
};

struct LineChart {
  std::string id;
  std::string x_label;
  std::string y_label;
  std::vector<double> x;
  std::vector<Curve> curves;
  NumberForm form = NumberForm::plain;
  bool unit_range = false;         // y runs from 0 to 1
  std::vector<double> marks = {};  // values of x at which the run was resumed: thin vertical lines
};
std::string draw(const LineChart& chart);
// "resumed after step 120", of the marks that lie on the x axis; empty for none.
std::string marks_in_words(const LineChart& chart);

struct BarChart {
  std::string id;
  std::string series;
  std::string x_label;
  std::string y_label;
  std::vector<double> values;  // of category 0, 1, ...
};
std::string draw(const BarChart& chart);

// A short vertical stroke, for legends.
std::string draw_mark_key();
// A short stroke with the curve's colour, dash and marker, for legends.
std::string draw_key(CurveStyle style);
// A line without axes; empty text for fewer than two values.
std::string draw_sparkline(const std::vector<double>& values, const Range& range, CurveStyle style);
std::string css_class(CurveStyle style);

}  // namespace rim::report
