// The sign that stands for one value of a curve.
#pragma once

#include <string>

#include "monitors/report/chart.h"

namespace rim::report {

// At SVG coordinates; `tooltip` may be empty. Control curves have no marker.
std::string draw_marker(CurveStyle style, double x, double y, const std::string& tooltip);

}  // namespace rim::report
