#include "data/evaluation/numbers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "data/support/text.h"

namespace rim {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool in_run(char c) { return is_digit(c) || c == '$' || c == '.' || c == ','; }

std::size_t run_length(std::string_view text, std::size_t at, bool (*belongs)(char)) {
  std::size_t end = at;
  while (end < text.size() && belongs(text[end])) ++end;
  return end - at;
}

bool minus_is_sign(std::string_view text, std::size_t at) {
  if (at == 0) return true;
  const char before = text[at - 1];
  return !is_digit(before) && !is_letter(before) && before != ')' && before != ']' && before != '}';
}

// Length of the number that begins at `at`, marks included; 0: none does.
std::size_t number_length(std::string_view text, std::size_t at) {
  const std::size_t sign = text[at] == '-' && minus_is_sign(text, at) ? 1 : 0;
  std::size_t length = run_length(text, at + sign, in_run);
  const std::string_view run = text.substr(at + sign, length);
  if (std::ranges::none_of(run, is_digit)) return 0;
  const std::size_t slash = at + sign + length;
  if (is_digit(run.back()) && slash + 1 < text.size() && text[slash] == '/' && is_digit(text[slash + 1])) {
    length += 1 + run_length(text, slash + 1, is_digit);
  }
  return sign + length;
}

std::string without_decoration(std::string_view text) {
  static constexpr auto kReplacements =
      std::to_array<std::pair<std::string_view, std::string_view>>({{"\xE2\x88\x92", "-"},
                                                                    {"{,}", ""},
                                                                    {"\\,", ""},
                                                                    {"\\!", ""},
                                                                    {"\\$", ""},
                                                                    {"\\%", ""},
                                                                    {"\\ ", " "},
                                                                    {"\\(", ""},
                                                                    {"\\)", ""},
                                                                    {"$", ""},
                                                                    {",", ""},
                                                                    {"%", ""},
                                                                    {"*", ""}});
  std::string plain(text);
  for (const auto& [from, to] : kReplacements) plain = replace_all(std::move(plain), from, to);
  const std::string_view body = trim(plain);
  return std::string(body.substr(0, body.find_last_not_of(". ") + 1));
}

std::optional<double> parse_plain(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (failure != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> parse_fraction(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return parse_plain(text);
  const auto above = parse_plain(trim(text.substr(0, slash)));
  const auto below = parse_plain(trim(text.substr(slash + 1)));
  if (!above || !below || *below == 0) return std::nullopt;
  return *above / *below;
}

// "18 apples" and "18 \text{ apples}" without what follows the number; unchanged where more digits follow.
std::string_view without_unit(std::string_view text) {
  const auto unit = text.find_first_of(" \\");
  if (unit == std::string_view::npos || unit == 0) return text;
  const std::string_view rest = text.substr(unit);
  const bool words_only = std::ranges::none_of(rest, [](char c) { return is_digit(c) || c == '=' || c == '/'; });
  return words_only ? text.substr(0, unit) : text;
}

}  // namespace

std::vector<std::string> find_numbers(std::string_view text) {
  const std::string plain = replace_all(std::string(text), "\xE2\x88\x92", "-");
  std::vector<std::string> numbers;
  std::size_t at = 0;
  while (at < plain.size()) {
    const std::size_t length = number_length(plain, at);
    if (length > 0) {
      const std::string_view found = std::string_view(plain).substr(at, length);
      numbers.emplace_back(found.substr(0, found.find_last_of("0123456789") + 1));
    }
    // A run of marks without a digit is passed as a whole: models that run in circles write long ones.
    at += length > 0 ? length : std::max<std::size_t>(run_length(plain, at, in_run), 1);
  }
  return numbers;
}

std::optional<double> parse_decorated_number(std::string_view text) {
  const std::string plain = without_decoration(text);
  if (const auto value = parse_fraction(plain)) return value;
  return parse_fraction(without_unit(plain));
}

}  // namespace rim
