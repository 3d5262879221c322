#include "monitors/report/numbers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace rim::report {
namespace {

std::string written(double value, std::chars_format format, int precision) {
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format, precision);
  return end.ec == std::errc() ? std::string(buffer.data(), end.ptr) : "?";
}

std::string without_trailing_zero(std::string text) {
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

// "5.0e-04" as "5e-4".
std::string short_exponent(std::string text) {
  if (const std::size_t zero = text.find(".0e"); zero != std::string::npos) text.erase(zero, 2);
  if (const std::size_t zero = text.find("e-0"); zero != std::string::npos) text.erase(zero + 2, 1);
  if (const std::size_t plus = text.find("e+0"); plus != std::string::npos) text.erase(plus + 1, 2);
  if (const std::size_t plus = text.find("e+"); plus != std::string::npos) text.erase(plus + 1, 1);
  return text;
}

// Of the first significant digit: 0.05 -> -2. A little upwards, because a difference of ticks is not quite round.
int power_of_ten(double value) { return static_cast<int>(std::floor(std::log10(value) + 1e-3)); }

std::size_t longest(const std::vector<std::string>& texts) {
  std::size_t most = 0;
  for (const std::string& text : texts) most = std::max(most, text.size());
  return most;
}

bool is_whole(double value) { return std::abs(value) < 1e6 && value == std::floor(value); }

}  // namespace

std::string to_text(double value, NumberForm form) {
  if (!std::isfinite(value)) return std::isnan(value) ? "–" : (value > 0 ? "∞" : "−∞");
  if (form == NumberForm::percent) {
    return without_trailing_zero(written(100 * value, std::chars_format::fixed, 1)) + "%";
  }
  if (is_whole(value)) return without_trailing_zero(written(value, std::chars_format::fixed, 0));
  return written(value, std::chars_format::general, 3);
}

bool has_numbers(const std::vector<double>& values) {
  return std::ranges::any_of(values, [](double value) { return std::isfinite(value); });
}

std::string to_short_text(double value, NumberForm form) {
  const bool moderate = std::abs(value) >= 1e-3 && std::abs(value) < 1e5;
  if (form == NumberForm::percent || !std::isfinite(value) || value == 0) return to_text(value, form);
  if (moderate) return is_whole(value) ? to_text(value) : written(value, std::chars_format::general, 2);
  return short_exponent(written(value, std::chars_format::scientific, 1));
}

std::vector<std::string> tick_labels(const std::vector<double>& ticks, NumberForm form, std::size_t room) {
  std::vector<std::string> fixed, scientific;
  if (ticks.size() < 2) {
    for (const double tick : ticks) fixed.push_back(to_short_text(tick, form));
    return fixed;
  }
  const double unit = form == NumberForm::percent ? 100 : 1;
  const int place = power_of_ten(unit * (ticks[1] - ticks[0]));
  for (const double tick : ticks) {
    const std::string zero = to_short_text(0, form);
    const int digits = tick == 0 ? 0 : power_of_ten(unit * std::abs(tick)) - place;
    fixed.push_back(tick == 0 ? zero
                              : written(unit * tick, std::chars_format::fixed, std::max(0, -place)) +
                                    (form == NumberForm::percent ? "%" : ""));
    scientific.push_back(tick == 0 ? zero
                                   : short_exponent(written(tick, std::chars_format::scientific, std::max(0, digits))));
  }
  const bool is_long = longest(fixed) > room && longest(scientific) < longest(fixed);
  return form == NumberForm::plain && is_long ? scientific : fixed;
}

std::string coordinate(double value) { return without_trailing_zero(written(value, std::chars_format::fixed, 1)); }

Range range_of(const std::vector<std::vector<double>>& lists) {
  Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const std::vector<double>& values : lists) {
    for (const double value : values) {
      if (!std::isfinite(value)) continue;
      range.low = std::min(range.low, value);
      range.high = std::max(range.high, value);
    }
  }
  if (range.low > range.high) return {0, 1};
  const double spread = range.high - range.low;
  const double margin = spread > 0 ? 0.06 * spread : std::max(0.5 * std::abs(range.high), 1e-3);
  return {range.low - margin, range.high + margin};
}

std::vector<double> round_ticks(const Range& range, int count) {
  const double spread = range.high - range.low;
  if (!(spread > 0) || !std::isfinite(spread)) return {range.low};
  const double rough = spread / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double factor = rough / power;
  const double step = power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
  std::vector<double> ticks;
  // Counted in whole steps: adding up `step` would drift, and 0 would come out as 1e-17.
  for (double i = std::ceil(range.low / step - 1e-9); i * step <= range.high + 1e-9 * spread; ++i) {
    ticks.push_back(i == 0 ? 0 : i * step);
  }
  return ticks;
}

}  // namespace rim::report
