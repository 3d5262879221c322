#include "data/evaluation/extract.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "data/evaluation/numbers.h"
#include "data/support/text.h"

namespace rim {
namespace {

constexpr std::string_view kWrapping = " \t\r\n*_`\"':";

// What stands between the brace at `open` and the one that closes it; nothing where none does.
std::optional<std::string_view> inside_braces(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return text.substr(open + 1, i - open - 1);
  }
  return std::nullopt;
}

std::string without_text_command(std::string_view body) {
  static constexpr auto kCommands = std::to_array<std::string_view>({"\\text{", "\\textbf{", "\\mathrm{", "\\mathbf{"});
  for (const std::string_view command : kCommands) {
    if (!body.starts_with(command)) continue;
    const auto inside = inside_braces(body, command.size() - 1);
    if (inside && command.size() + inside->size() + 1 == body.size()) return std::string(trim(*inside));
  }
  return std::string(trim(body));
}

std::optional<std::string> boxed(std::string_view response) {
  static constexpr std::string_view kCommand = "\\boxed{";
  for (auto at = response.rfind(kCommand); at != std::string_view::npos;
       at = at == 0 ? std::string_view::npos : response.rfind(kCommand, at - 1)) {
    const auto body = inside_braces(response, at + kCommand.size() - 1);
    if (body && !trim(*body).empty()) return without_text_command(trim(*body));
  }
  return std::nullopt;
}

std::optional<std::string> answer_tag(std::string_view response) {
  static constexpr std::string_view kOpen = "<answer>";
  const std::string lowered = lower_ascii(response);
  const auto open = lowered.rfind(kOpen);
  if (open == std::string::npos) return std::nullopt;
  const auto close = lowered.find("</answer>", open);
  if (close == std::string::npos) return std::nullopt;
  const std::string_view body = trim(response.substr(open + kOpen.size(), close - open - kOpen.size()));
  if (body.empty()) return std::nullopt;
  return std::string(body);
}

// Up to the end of the line or sentence; a point inside a number ends none.
std::string_view first_sentence(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool stop = text[i] == '.' || text[i] == '!' || text[i] == '?';
    const bool last = i + 1 == text.size() || kWhitespace.find(text[i + 1]) != std::string_view::npos;
    if (text[i] == '\n' || (stop && last)) return text.substr(0, i);
  }
  return text;
}

bool begins_with_number(std::string_view text) {
  const auto first = text.find_first_not_of(" $(*+-.\xE2\x88\x92");
  return first != std::string_view::npos && text[first] >= '0' && text[first] <= '9';
}

// What a sentence says the answer is: its last right-hand side ("5 + 6 = 11", "3 * 5 = 15, 15 * 3 = 45"), unless it
// begins with a number that it only explains then ("18 apples, since 6 * 3 = 18").
std::string_view stated_part(std::string_view sentence) {
  const std::string_view first_clause = sentence.substr(0, sentence.find(", "));
  const bool names_it = begins_with_number(first_clause) && first_clause.find('=') == std::string_view::npos;
  const auto equals = sentence.rfind('=');
  if (names_it || equals == std::string_view::npos) return sentence;
  const std::string_view value = sentence.substr(equals + 1);
  return value.substr(0, value.find(", "));
}

// The answer that a statement such as "18 apples" or "Paris" holds; nothing for prose that states none. A number inside
// a sentence is the answer where it is the only one and the sentence is short: "that they sold 9 cakes".
std::optional<std::string> stated_answer(std::string_view text) {
  static constexpr int kMostWords = 4;
  static constexpr int kMostWordsAroundNumber = 12;
  const std::string_view sentence = trim(first_sentence(trim(text, kWrapping)), kWrapping);
  const std::string_view statement = trim(stated_part(sentence), kWrapping);
  const auto spaces = std::ranges::count(statement, ' ');
  if (statement.find('\\') == std::string_view::npos) {
    const auto numbers = find_numbers(statement);
    const bool alone = numbers.size() == 1 && spaces < kMostWordsAroundNumber;
    if (!numbers.empty() && (begins_with_number(statement) || alone)) return numbers.front();
  }
  const std::string answer(trim(statement, " $()"));
  if (answer.empty() || spaces >= kMostWords) return std::nullopt;
  return answer;
}

// What the last marker of any kind that is followed by an answer states: a later statement takes an earlier one back.
std::optional<std::string> after_last(std::string_view response, std::span<const std::string_view> markers) {
  const std::string lowered = lower_ascii(response);
  std::vector<std::size_t> ends;
  for (const std::string_view marker : markers) {
    for (auto at = lowered.find(marker); at != std::string::npos; at = lowered.find(marker, at + 1)) {
      ends.push_back(at + marker.size());
    }
  }
  std::ranges::sort(ends, std::ranges::greater{});
  for (const std::size_t end : ends) {
    if (auto answer = stated_answer(response.substr(end))) return answer;
  }
  return std::nullopt;
}

std::optional<std::string> answer_is(std::string_view response) {
  static constexpr auto kMarkers = std::to_array<std::string_view>({"answer is", "answer:", "answer**:"});
  return after_last(response, kMarkers);
}

std::optional<std::string> hashes(std::string_view response) {
  static constexpr auto kMarkers = std::to_array<std::string_view>({"####"});
  return after_last(response, kMarkers);
}

std::optional<std::string> last_number(std::string_view response) {
  const auto numbers = find_numbers(response);
  if (numbers.empty()) return std::nullopt;
  return numbers.back();
}

bool is_whole(double value) { return std::trunc(value) == value; }

std::string comparable_text(std::string_view text) { return lower_ascii(trim(trim(text), ". ")); }

}  // namespace

std::optional<ExtractedAnswer> extract_answer(std::string_view response) {
  using Extractor = std::optional<std::string> (*)(std::string_view);
  static constexpr auto kCascade =
      std::to_array<std::pair<std::string_view, Extractor>>({{"boxed", boxed},
                                                             {"answer_tag", answer_tag},
                                                             {"answer_is", answer_is},
                                                             {"hashes", hashes},
                                                             {"last_number", last_number}});
  for (const auto& [name, extract] : kCascade) {
    if (auto text = extract(response)) return ExtractedAnswer{.text = std::move(*text), .extractor = std::string(name)};
  }
  return std::nullopt;
}

bool answers_equal(std::string_view given, std::string_view gold) {
  if (comparable_text(given) == comparable_text(gold)) return true;
  const auto left = parse_decorated_number(given);
  const auto right = parse_decorated_number(gold);
  if (!left || !right) return false;
  if (is_whole(*left) && is_whole(*right)) return *left == *right;
  return std::abs(*left - *right) <= 1e-9 * std::max({1.0, std::abs(*left), std::abs(*right)});
}

}  // namespace rim
