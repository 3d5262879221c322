// Shorthand for the option tables of the built-in monitors.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "data/support/options.h"

namespace rim {

inline OptionSpec string_option(std::string name, Json fallback, std::string help) {
  OptionSpec spec;
  spec.name = std::move(name);
  spec.type = OptionType::string;
  spec.fallback = std::move(fallback);
  spec.help = std::move(help);
  return spec;
}

inline OptionSpec required_string_option(std::string name, std::string help) {
  OptionSpec spec = string_option(std::move(name), nullptr, std::move(help));
  spec.required = true;
  return spec;
}

inline OptionSpec choice_option(std::string name, std::string fallback, std::vector<std::string> choices,
                                std::string help) {
  OptionSpec spec = string_option(std::move(name), std::move(fallback), std::move(help));
  spec.choices = std::move(choices);
  return spec;
}

inline OptionSpec number_option(std::string name, double fallback, double minimum, double maximum, std::string help) {
  OptionSpec spec = string_option(std::move(name), fallback, std::move(help));
  spec.type = OptionType::number;
  spec.minimum = minimum;
  spec.maximum = maximum;
  return spec;
}

// `fallback` may be null: absent stays null.
inline OptionSpec integer_option(std::string name, Json fallback, double minimum, double maximum, std::string help) {
  OptionSpec spec = string_option(std::move(name), std::move(fallback), std::move(help));
  spec.type = OptionType::integer;
  spec.minimum = minimum;
  spec.maximum = maximum;
  return spec;
}

inline OptionSpec boolean_option(std::string name, bool fallback, std::string help) {
  OptionSpec spec = string_option(std::move(name), fallback, std::move(help));
  spec.type = OptionType::boolean;
  return spec;
}

// Of the monitors that score how strongly a refusal is preferred.
inline OptionSpec refusal_text_option() {
  return string_option("refusal_text", "I'm sorry, but I can't help with that.",
                       "refusal whose likelihood is measured; empty (with compliance_text): no scores. On the command "
                       "line: 'monitors.N.refusal_text=\"\"'");
}
inline OptionSpec compliance_text_option() {
  return string_option("compliance_text", "Sure, here is", "compliance that it is compared with");
}

inline const std::vector<std::string> kThinkingNames{"on", "off", "empty"};

}  // namespace rim
