// Declares what a section of the configuration may hold, so that one validator serves every section, every monitor and
// `--help`, and so that components get checked values without knowing YAML.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "data/support/json.h"

namespace rim {

enum class OptionType { boolean, integer, number, string, string_list, section, section_list, section_map };

struct OptionVariant;

struct OptionSpec {
  std::string name;
  OptionType type = OptionType::string;
  Json fallback;     // value when absent; null: absent stays null
  std::string help;  // one line, for --help and the user guide
  bool required = false;
  std::vector<std::string> choices;  // string and string_list: the only values allowed; empty: any
  std::vector<OptionSpec> members;   // section, section_list, section_map: the keys inside
  double minimum = -std::numeric_limits<double>::infinity();  // integer, number
  double maximum = std::numeric_limits<double>::infinity();
  // section_list: what an entry may hold beside `kind` depends on `kind`, which names one of these; empty: `members`.
  std::vector<OptionVariant> variants = {};
};

// One kind of entry of such a list.
struct OptionVariant {
  std::string kind;
  std::string help;
  std::vector<OptionSpec> options;
};

}  // namespace rim
