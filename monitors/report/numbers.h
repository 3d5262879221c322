// Numbers for people, independent of the locale.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace rim::report {

enum class NumberForm { plain, percent };

// Three significant digits, or a percentage with at most one decimal; an en dash for NaN.
std::string to_text(double value, NumberForm form = NumberForm::plain);
// For end labels: two significant digits, in at most eight characters ("5e-4" for 0.0005, "-1.8e-10").
std::string to_short_text(double value, NumberForm form = NumberForm::plain);
// Labels of ticks as round_ticks makes them: with the decimals that their distance needs, so that all differ and read
// back. Longer than `room` characters, numbers are written with powers of ten where that is shorter.
std::vector<std::string> tick_labels(const std::vector<double>& ticks, NumberForm form = NumberForm::plain,
                                     std::size_t room = 5);
// A coordinate of a drawing: one decimal.
std::string coordinate(double value);

// Whether any of them is finite: else there is nothing to draw.
bool has_numbers(const std::vector<double>& values);

struct Range {
  double low = 0;
  double high = 1;
};
// The smallest range that holds the finite values, a little wider; [0, 1] for none.
Range range_of(const std::vector<std::vector<double>>& lists);
// About `count` round numbers (1, 2 or 5 times a power of ten) inside the range.
std::vector<double> round_ticks(const Range& range, int count);

}  // namespace rim::report
