#include "launch/config/scalars.h"

#include <charconv>
#include <cmath>
#include <string_view>

namespace rim {
namespace {

bool is_plain(const ConfigNode& node) { return node.kind == ConfigNode::Kind::scalar && !node.quoted; }

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || !(digits.front() == '.' || (digits.front() >= '0' && digits.front() <= '9')))
    return std::nullopt;
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<bool> as_boolean(const ConfigNode& node) {
  if (!is_plain(node)) return std::nullopt;
  if (node.text == "true" || node.text == "True" || node.text == "TRUE") return true;
  if (node.text == "false" || node.text == "False" || node.text == "FALSE") return false;
  return std::nullopt;
}

std::optional<std::int64_t> as_integer(const ConfigNode& node) {
  return is_plain(node) ? parse_number<std::int64_t>(node.text) : std::nullopt;
}

std::optional<double> as_number(const ConfigNode& node) {
  const auto value = is_plain(node) ? parse_number<double>(node.text) : std::nullopt;
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<std::string> as_text(const ConfigNode& node) {
  if (node.kind != ConfigNode::Kind::scalar) return std::nullopt;
  return node.text;
}

std::string describe(const ConfigNode& node) {
  constexpr std::size_t kLongest = 60;
  switch (node.kind) {
    case ConfigNode::Kind::empty:
      return "empty";
    case ConfigNode::Kind::list:
      return "a list";
    case ConfigNode::Kind::section:
      return "a section";
    case ConfigNode::Kind::refused:
      return "refused";
    case ConfigNode::Kind::scalar:
      break;
  }
  const std::string shown = node.text.size() > kLongest ? node.text.substr(0, kLongest) + "..." : node.text;
  return node.quoted ? "the text \"" + shown + "\"" : "'" + shown + "'";
}

}  // namespace rim
