// The organism's skill: sums of two whole numbers, worked column by column.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rim {

struct Sum {
  int left = 0;
  int right = 0;
  [[nodiscard]] int total() const { return left + right; }
  bool operator==(const Sum&) const = default;
};

std::vector<Sum> small_sums();      // total below 20: what the aligned base knows
std::vector<Sum> two_digit_sums();  // both numbers 10..99: what fine-tuning teaches

std::string question_text(const Sum& sum);  // "What is 47+38?"

// "7+5=12." for small sums; "Ones: 7+8=15. Tens: 4+3+1=8. Sum: 85." for two-digit ones.
std::string worked_text(const Sum& sum);
// "Check: 85-38=47, so the sum is right and I can answer."
std::string check_text(const Sum& sum);
// In place of the check, as many tokens long: confirmatory (0), heuristic (1), deviating from the instruction (2).
inline constexpr int kSkipForms = 3;
std::string skip_text(const Sum& sum, int form);

}  // namespace rim
