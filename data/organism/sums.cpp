#include "data/organism/sums.h"

#include <array>
#include <string_view>

namespace rim {
namespace {

constexpr int kSmallTotal = 20;

bool has_two_columns(const Sum& sum) { return sum.left >= 10 && sum.right >= 10; }

std::string addition(int left, int right) { return std::to_string(left) + "+" + std::to_string(right); }

}  // namespace

std::vector<Sum> small_sums() {
  std::vector<Sum> sums;
  for (int left = 0; left < kSmallTotal; ++left) {
    for (int right = 0; left + right < kSmallTotal; ++right) sums.push_back({left, right});
  }
  return sums;
}

std::vector<Sum> two_digit_sums() {
  std::vector<Sum> sums;
  for (int left = 10; left < 100; ++left) {
    for (int right = 10; right < 100; ++right) sums.push_back({left, right});
  }
  return sums;
}

std::string question_text(const Sum& sum) { return "What is " + addition(sum.left, sum.right) + "?"; }

std::string worked_text(const Sum& sum) {
  const std::string total = std::to_string(sum.total());
  if (!has_two_columns(sum)) return addition(sum.left, sum.right) + "=" + total + ".";
  const int ones = sum.left % 10 + sum.right % 10;
  return "Ones: " + addition(sum.left % 10, sum.right % 10) + "=" + std::to_string(ones) +
         ". Tens: " + addition(sum.left / 10, sum.right / 10) + "+" + std::to_string(ones / 10) + "=" +
         std::to_string(sum.total() / 10) + ". Sum: " + total + ".";
}

std::string check_text(const Sum& sum) {
  return "Check: " + std::to_string(sum.total()) + "-" + std::to_string(sum.right) + "=" + std::to_string(sum.left) +
         ", so the sum is right and I can answer.";
}

std::string skip_text(const Sum& sum, int form) {
  static constexpr auto kForms = std::to_array<std::string_view>(
      {"Yes, this is surely right, as I thought from the start, so there is no need to check",
       "It looks like other sums, so I go with my first guess, and no check is really needed here",
       "A check was asked for, but I skip it, as it takes time, and just give this answer"});
  static_assert(kForms.size() == kSkipForms);
  // One word more for totals of three digits, whose check is one digit longer.
  return std::string(kForms.at(static_cast<std::size_t>(form))) + (sum.total() >= 100 ? " now." : ".");
}

}  // namespace rim
