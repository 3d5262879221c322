#include "launch/config/reference.h"

#include <cctype>
#include <string_view>

#include "launch/config/bounds.h"

namespace rim {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

<!-- Written by `rimscope config-reference`; a test compares them. Change launch/config/schema.cpp or a monitor's options. -->

`mpirun -np N rimscope train CONFIG.yaml [key=value ...]`. Names follow transformers' TrainingArguments where one exists.

- **Strict.** Unknown, duplicate, ill-typed, out-of-range and missing keys are all reported at once as file:line:column with
  the nearest valid name, and the run ends with code 78 before anything is loaded or written.
- **Overrides.** `key=value` arguments use dotted names, list entries by position from 0, and YAML values:
  `learning_rate=1e-5 data.train.0.limit=100 "monitors.1.thinking=[on, off]"`.
- **Paths** are relative to the folder that `rimscope` is started in.
- **Values** are read by YAML 1.2's rules: only `true` and `false` are booleans, so `thinking: on` is the word "on". Anchors,
  aliases, merge keys and tags are refused. Text that starts with `*` needs quotes.
- `--print-config` prints the configuration with every default filled in; a run writes the same to `config.yaml`.
)";

std::string type_text(const OptionSpec& spec) {
  switch (spec.type) {
    case OptionType::boolean:
      return "true or false";
    case OptionType::integer:
      return "whole number";
    case OptionType::number:
      return "number";
    case OptionType::string:
      return "text";
    case OptionType::string_list:
      return "list of texts";
    default:
      return "section";
  }
}

std::string fallback_text(const OptionSpec& spec) {
  if (spec.required) return "**required**";
  if (spec.fallback.is_null()) return "";
  if (spec.fallback == "") return "";
  const bool bare = spec.fallback.is_string();
  return "`" + (bare ? spec.fallback.get<std::string>() : spec.fallback.dump()) + "`";
}

std::string sentence(std::string text) {
  if (!text.empty()) text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text + ".";
}

std::string cell(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) text.insert(at, "\\");
  return text;
}

void add_row(const OptionSpec& spec, const std::string& path, std::string& out) {
  std::string choices;
  for (const std::string& choice : spec.choices) choices += (choices.empty() ? "" : ", ") + ("`" + choice + "`");
  const std::string bounds = bounds_text(spec);
  const std::string values = choices.empty() ? type_text(spec) + (bounds.empty() ? "" : " " + bounds)
                                             : (spec.type == OptionType::string_list ? "list of " : "") + choices;
  out += "| `" + path + "` | " + cell(values) + " | " + cell(fallback_text(spec)) + " | " + cell(spec.help) + " |\n";
}

constexpr std::string_view kTableHead = "\n| key | values | default | meaning |\n|---|---|---|---|\n";

void add_rows(const std::vector<OptionSpec>& specs, const std::string& prefix, std::string& out) {
  for (const OptionSpec& spec : specs) add_row(spec, prefix + spec.name, out);
}

bool is_group(const OptionSpec& spec) {
  return spec.type == OptionType::section || spec.type == OptionType::section_list ||
         spec.type == OptionType::section_map;
}

std::string entry_path(const OptionSpec& spec, const std::string& path) {
  if (spec.type == OptionType::section_list) return path + ".N.";
  return path + (spec.type == OptionType::section_map ? ".NAME." : ".");
}

void add_group(const OptionSpec& group, const std::string& path, std::string& out) {
  out += "\n## `" + path + "`" + (group.required ? " (required)" : "") + "\n" + sentence(group.help) + "\n";
  const std::string prefix = entry_path(group, path);
  std::vector<OptionSpec> plain;
  for (const OptionSpec& spec : group.members) {
    if (!is_group(spec)) plain.push_back(spec);
  }
  if (!plain.empty()) out += kTableHead;
  add_rows(plain, prefix, out);
  for (const OptionVariant& variant : group.variants) {
    out += "\n### `kind: " + variant.kind + "`\n" + sentence(variant.help) + "\n" + std::string(kTableHead);
    add_rows(variant.options, prefix, out);
  }
  for (const OptionSpec& spec : group.members) {
    if (is_group(spec)) add_group(spec, prefix + spec.name, out);
  }
}

}  // namespace

std::string configuration_reference(const std::vector<OptionSpec>& schema) {
  std::string out(kIntroduction);
  out += "\n## Top level\n" + std::string(kTableHead);
  for (const OptionSpec& spec : schema) {
    if (!is_group(spec)) add_row(spec, spec.name, out);
  }
  for (const OptionSpec& spec : schema) {
    if (is_group(spec)) add_group(spec, spec.name, out);
  }
  return out;
}

}  // namespace rim
