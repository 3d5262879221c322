// Numbers in headlines and descriptions.
#pragma once

#include <cstdio>
#include <string>

namespace rim {

// Three significant digits: "0.8", "1.23e-05", "nan".
inline std::string three_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

}  // namespace rim
