#include <boost/program_options/value_semantic.hpp>
#include <iostream>

#include "launch/verbs/train_job.h"
#include "launch/verbs/verb.h"

namespace rim {
namespace {

int run(const Invocation& call) {
  MonitorRegistry registry = builtin_registry();
  RunConfig config =
      load_run_config(call.get<std::string>("CONFIG"), call.list("key=value"), monitor_variants(registry));
  if (call.has("print-config")) {
    if (call.session.rank() == 0) std::cout << config.text;
    return 0;
  }
  TrainJob job(call, std::move(config), std::move(registry));
  return call.has("dry-run") ? job.dry_run() : job.run();
}

}  // namespace

Verb train_verb() {
  Verb verb;
  verb.name = "train";
  verb.group = "Training";
  verb.summary = "fine-tune a model, with monitors at every checkpoint";
  verb.details =
      "CONFIG is YAML (docs/configuration.md lists every key); key=value arguments override it, with dotted names and\n"
      "positions in lists: data.train.0.limit=100. A run stopped by SIGUSR1 (sent to mpirun, or to\n"
      "rimscope without mpirun, where SIGTERM and Ctrl-C do as well) writes a checkpoint and ends with 75;\n"
      "resume_from_checkpoint=auto continues it. After SIGTERM or Ctrl-C mpirun gives its ranks a second and kills "
      "them.";
  verb.positionals = {{"CONFIG", true, false}, {"key=value", false, true}};
  verb.options.add_options()("help,h", "this text")("print-config",
                                                    "print the configuration with every default, and stop")(
      "dry-run",
      "print steps, parameters and the memory and disk it will take, and stop; loads no weights, writes nothing");
  verb.examples = {"mpirun -np 2 rimscope train configs/organism-target.yaml",
                   "rimscope train configs/qwen3-gsm8k.yaml learning_rate=1e-5 max_steps=100 --dry-run"};
  verb.collective = true;
  verb.run = run;
  return verb;
}

}  // namespace rim
