#include <iostream>

#include "launch/verbs/summary.h"
#include "launch/verbs/verb.h"

namespace rim {
namespace {

int run(const Invocation& call) {
  std::cout << run_summary(call.get<std::string>("RUN"));
  return 0;
}

}  // namespace

Verb summary_verb() {
  Verb verb;
  verb.name = "summary";
  verb.group = "Looking";
  verb.summary = "print what became of refusal, skill and the safety-critical neurons";
  verb.positionals = {{"RUN", true, false}};
  verb.options.add_options()("help,h", "this text");
  verb.examples = {"rimscope summary runs/demo/target", "for run in runs/*/; do rimscope summary \"$run\"; done"};
  verb.run = run;
  return verb;
}

}  // namespace rim
