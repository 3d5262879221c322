// The final answer of a worked solution, and whether it equals the gold answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rim {

struct ExtractedAnswer {
  std::string text;
  std::string extractor;  // boxed | answer_tag | answer_is | hashes | last_number
};

// Cascade: last nested \boxed{}, <answer>, "the answer is", "####", last number (lm-eval's flexible rule).
std::optional<ExtractedAnswer> extract_answer(std::string_view response);
// Numbers are compared as numbers after dropping "$", ",", "%" and a final "."; other answers as trimmed text.
bool answers_equal(std::string_view given, std::string_view gold);

}  // namespace rim
