#include <iostream>

#include "launch/verbs/verb.h"
#include "monitors/report/report.h"

namespace rim {
namespace {

int run(const Invocation& call) {
  std::cout << write_report(call.get<std::string>("RUN")).string() << "\n";
  return 0;
}

}  // namespace

Verb report_verb() {
  Verb verb;
  verb.name = "report";
  verb.group = "Looking";
  verb.summary = "write RUN/report.html, one page that needs no network and no scripts";
  verb.details = "RUN is the output_dir of a run, finished or not. Prints the page's path.";
  verb.positionals = {{"RUN", true, false}};
  verb.options.add_options()("help,h", "this text");
  verb.examples = {"rimscope report runs/demo/target", "xdg-open \"$(rimscope report runs/demo/target)\""};
  verb.run = run;
  return verb;
}

}  // namespace rim
