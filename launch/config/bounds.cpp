#include "launch/config/bounds.h"

#include <array>
#include <charconv>
#include <cmath>

#include "data/support/text.h"

namespace rim {
namespace {

// "0.5", "100", "1e9": as a user would write it.
std::string number_text(double value) {
  std::array<char, 32> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  std::string text(digits.data(), written.ptr);
  for (const std::string padding : {"e+0", "e+"}) text = replace_all(text, padding, "e");
  return replace_all(text, "e-0", "e-");
}

}  // namespace

std::string bounds_text(const OptionSpec& spec) {
  const bool low = std::isfinite(spec.minimum), high = std::isfinite(spec.maximum);
  if (low && high) return "between " + number_text(spec.minimum) + " and " + number_text(spec.maximum);
  if (low) return "at least " + number_text(spec.minimum);
  return high ? "at most " + number_text(spec.maximum) : "";
}

}  // namespace rim
