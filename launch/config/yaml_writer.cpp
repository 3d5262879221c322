#include "launch/config/yaml_writer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace rim {
namespace {

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kPlainCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
// Words that YAML 1.1 or 1.2 reads as something else than text, in lower case.
constexpr std::array<std::string_view, 9> kReserved{"true", "false", "null", "yes", "no", "on", "off", "y", "n"};

bool is_plain(const std::string& text) {
  if (text.empty() || kLetters.find(text.front()) == std::string_view::npos) return false;
  if (text.find_first_not_of(kPlainCharacters) != std::string::npos) return false;
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(kReserved.begin(), kReserved.end(), lower) == kReserved.end();
}

// PyYAML takes 1e-05 for text: a float needs its point.
std::string float_text(double value) {
  std::string text = Json(value).dump();
  const std::size_t exponent = text.find('e');
  if (exponent != std::string::npos && text.find('.') == std::string::npos) text.insert(exponent, ".0");
  return text;
}

std::string scalar_text(const Json& value) {
  if (value.is_string()) return is_plain(value.get<std::string>()) ? value.get<std::string>() : value.dump();
  if (value.is_number_float()) return float_text(value.get<double>());
  if (!value.is_array()) return value.dump();
  std::string list;
  for (const Json& item : value) list += (list.empty() ? "" : ", ") + scalar_text(item);
  return "[" + list + "]";
}

void write_members(const Json& values, const std::vector<OptionSpec>& specs, const std::string& indent,
                   std::string& out);

std::vector<OptionSpec> entry_specs(const OptionSpec& spec, const Json& entry) {
  if (spec.variants.empty()) return spec.members;
  OptionSpec kind;
  kind.name = "kind";
  std::vector<OptionSpec> specs{kind};
  for (const OptionVariant& variant : spec.variants) {
    if (entry.at("kind") == variant.kind) specs.insert(specs.end(), variant.options.begin(), variant.options.end());
  }
  return specs;
}

void write_entries(const Json& list, const OptionSpec& spec, const std::string& indent, std::string& out) {
  for (const Json& entry : list) {
    std::string text;
    write_members(entry, entry_specs(spec, entry), indent + "  ", text);
    text[indent.size()] = '-';
    out += text;
  }
}

void write_member(const Json& value, const OptionSpec& spec, const std::string& indent, std::string& out) {
  out += indent + (is_plain(spec.name) ? spec.name : Json(spec.name).dump()) + ":";
  switch (spec.type) {
    case OptionType::section:
      out += "\n";
      write_members(value, spec.members, indent + "  ", out);
      break;
    case OptionType::section_list:
      out += "\n";
      write_entries(value, spec, indent + "  ", out);
      break;
    case OptionType::section_map:
      out += "\n";
      for (const auto& [name, entry] : value.items()) {
        OptionSpec named = spec;
        named.name = name;
        named.type = OptionType::section;
        write_member(entry, named, indent + "  ", out);
      }
      break;
    default:
      out += " " + scalar_text(value) + "\n";
  }
}

void write_members(const Json& values, const std::vector<OptionSpec>& specs, const std::string& indent,
                   std::string& out) {
  for (const OptionSpec& spec : specs) {
    const auto found = values.find(spec.name);
    if (found == values.end() || found->is_null() || (found->is_structured() && found->empty())) continue;
    write_member(*found, spec, indent, out);
  }
}

}  // namespace

std::string write_yaml(const Json& values, const std::vector<OptionSpec>& specs) {
  std::string out;
  write_members(values, specs, "", out);
  return out;
}

}  // namespace rim
