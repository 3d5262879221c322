// A small valid configuration and the monitors' options that the tests of launch/config share.
#pragma once

#include <string>
#include <vector>

#include "data/support/error.h"
#include "launch/config/run_config.h"

namespace rim::config_test {

inline const std::string kMinimal = R"(model: {path: models/tiny}
data:
  train: [{path: train.jsonl}]
output_dir: runs/tiny
max_steps: 10
)";

inline OptionSpec monitor_option(const std::string& name, OptionType type, Json fallback) {
  OptionSpec spec;
  spec.name = name;
  spec.type = type;
  spec.fallback = std::move(fallback);
  spec.help = "a test option";
  return spec;
}

inline std::vector<OptionVariant> monitors() {
  OptionSpec harmful = monitor_option("harmful", OptionType::string, nullptr);
  harmful.required = true;
  OptionSpec top = monitor_option("top", OptionType::number, 0.01);
  top.minimum = 0;
  top.maximum = 1;
  OptionSpec thinking = monitor_option("thinking", OptionType::string_list, Json::array({"on", "off"}));
  thinking.choices = {"on", "off", "empty"};
  return {{"neurons", "neurons of a test", {harmful, top}}, {"behaviour", "behaviour of a test", {harmful, thinking}}};
}

inline RunConfig parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse_run_config(text, "a.yaml", overrides, monitors());
}

// The message and code of the error that parsing ends with; "" and ok where there is none.
struct Failure {
  std::string message;
  ExitCode code = ExitCode::ok;
};
inline Failure failure(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse(text, overrides);
    return {};
  } catch (const Error& error) {
    return {error.what(), error.code()};
  }
}
inline std::string problems(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return failure(text, overrides).message;
}

}  // namespace rim::config_test
