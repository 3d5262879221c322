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

// Cascade, each on its last occurrence: \boxed{} (braces may nest), <answer>...</answer>, "answer is" or "answer:"
// (the last of either that an answer follows), "####", last number. Of the sentence after
// "answer is" or "####", the last right-hand side counts, else the number it begins with or the only one in a short
// sentence; longer prose is left to the later rules. A number is lm-eval's flexible rule `(-?[$0-9.,]{2,})|(-?[0-9]+)`,
// except that it must have a digit, keeps a fraction's "/3", and that a minus right after a letter, digit or bracket is
// an operator ("5-7" ends in 7, not -7).
std::optional<ExtractedAnswer> extract_answer(std::string_view response);

// Numbers (fractions a/b too) are compared as numbers after dropping "$", ",", "%", spacing commands of LaTeX, a unit
// that follows, and a final "."; other answers as trimmed text, letter case ignored.
bool answers_equal(std::string_view given, std::string_view gold);

}  // namespace rim
