#include <iostream>

#include "launch/verbs/doctor.h"
#include "launch/verbs/verb.h"

namespace rim {
namespace {

int run(const Invocation& call) {
  const std::vector<Finding> findings = examine_machine(call.session);
  std::cout << findings_text(findings);
  return static_cast<int>(something_required_is_missing(findings) ? ExitCode::config : ExitCode::ok);
}

}  // namespace

Verb doctor_verb() {
  Verb verb;
  verb.name = "doctor";
  verb.group = "This machine and program";
  verb.summary = "say what this machine has, what is missing, and what to do about it";
  verb.details = "Ends with 0 unless something is missing that every run needs.";
  verb.options.add_options()("help,h", "this text");
  verb.examples = {"rimscope doctor", "srun --mpi=pmix rimscope doctor"};
  verb.run = run;
  return verb;
}

}  // namespace rim
