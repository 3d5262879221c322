#include "monitors/report/chart.h"
#include "monitors/report/html.h"
#include "monitors/report/marker.h"

namespace rim::report {

std::string css_class(CurveStyle style) {
  switch (style) {
    case CurveStyle::orange:
      return "c-orange";
    case CurveStyle::blue:
      return "c-blue";
    case CurveStyle::green:
      return "c-green";
    case CurveStyle::purple:
      return "c-purple";
    case CurveStyle::control:
      return "c-control";
  }
  return "";
}

std::string draw_marker(CurveStyle style, double x, double y, const std::string& tooltip) {
  const std::string title = tooltip.empty() ? "" : text_element("title", {}, tooltip);
  const std::string left = coordinate(x - 3.4), right = coordinate(x + 3.4), middle = coordinate(x);
  const std::string top = coordinate(y - 3.4), bottom = coordinate(y + 3.4), level = coordinate(y);
  switch (style) {
    case CurveStyle::orange:
      return element("circle", {{"class", "dot"}, {"cx", middle}, {"cy", level}, {"r", "3.6"}}, title);
    case CurveStyle::blue:
      return element("rect", {{"class", "dot"}, {"x", left}, {"y", top}, {"width", "6.8"}, {"height", "6.8"}}, title);
    case CurveStyle::green:
      return element(
          "path", {{"class", "dot"}, {"d", "M" + middle + " " + top + "L" + right + " " + bottom + "H" + left + "Z"}},
          title);
    case CurveStyle::purple:
      return element("path",
                     {{"class", "dot"},
                      {"d", "M" + middle + " " + top + "L" + right + " " + level + "L" + middle + " " + bottom + "L" +
                                left + " " + level + "Z"}},
                     title);
    case CurveStyle::control:
      break;
  }
  return "";
}

std::string draw_mark_key() {
  return element("svg", {{"class", "key"}, {"viewBox", "0 0 28 14"}, {"aria-hidden", "true"}},
                 element("line", {{"class", "mark"}, {"x1", "14"}, {"y1", "0"}, {"x2", "14"}, {"y2", "14"}}));
}

std::string draw_key(CurveStyle style) {
  std::string markup;
  if (style == CurveStyle::control) {
    markup += element("rect", {{"class", "band"}, {"x", "0"}, {"y", "1"}, {"width", "28"}, {"height", "12"}});
  }
  markup += element("line", {{"class", "curve"}, {"x1", "1"}, {"y1", "7"}, {"x2", "27"}, {"y2", "7"}});
  markup += draw_marker(style, 14, 7, "");
  return element("svg", {{"class", "key " + css_class(style)}, {"viewBox", "0 0 28 14"}, {"aria-hidden", "true"}},
                 markup);
}

}  // namespace rim::report
