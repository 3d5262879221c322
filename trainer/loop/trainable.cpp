#include "trainer/loop/trainable.h"

#include <fnmatch.h>

#include <algorithm>

#include "data/support/error.h"

namespace rim {
namespace {

bool matches(const std::string& pattern, const std::string& name) {
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

void refuse_idle_patterns(const std::vector<NamedParameter>& parameters, const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    const auto matched = [&](const NamedParameter& parameter) { return matches(pattern, parameter.name); };
    if (std::any_of(parameters.begin(), parameters.end(), matched)) continue;
    throw Error(ExitCode::config, "trainable: '" + pattern + "' matches no parameter; they are named like '" +
                                      parameters[parameters.size() / 2].name + "'");
  }
}

}  // namespace

std::vector<NamedParameter> select_trainable(const Decoder& model, const std::vector<std::string>& patterns) {
  const std::vector<NamedParameter> parameters = model.parameters();
  refuse_idle_patterns(parameters, patterns);
  std::vector<NamedParameter> trainable;
  for (const NamedParameter& parameter : parameters) {
    const auto matched = [&](const std::string& pattern) { return matches(pattern, parameter.name); };
    const bool chosen = patterns.empty() || std::any_of(patterns.begin(), patterns.end(), matched);
    parameter.tensor.set_requires_grad(chosen);
    if (chosen) trainable.push_back(parameter);
  }
  return trainable;
}

}  // namespace rim
