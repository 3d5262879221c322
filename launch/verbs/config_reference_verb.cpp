#include <iostream>

#include "launch/config/reference.h"
#include "launch/config/schema.h"
#include "launch/verbs/monitoring.h"
#include "launch/verbs/verb.h"

namespace rim {
namespace {

int run(const Invocation&) {
  std::cout << configuration_reference(training_schema(monitor_variants(builtin_registry())));
  return 0;
}

}  // namespace

Verb config_reference_verb() {
  Verb verb;
  verb.name = "config-reference";
  verb.group = "This machine and program";
  verb.summary = "print every configuration key as the page docs/configuration.md";
  verb.options.add_options()("help,h", "this text");
  verb.examples = {"rimscope config-reference > docs/configuration.md",
                   "rimscope config-reference | grep learning_rate"};
  verb.run = run;
  return verb;
}

}  // namespace rim
