#include <unistd.h>

#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <iostream>
#include <limits>
#include <utility>

#include "data/examples/sample.h"
#include "data/support/error.h"
#include "launch/verbs/model_inputs.h"
#include "launch/verbs/monitoring.h"
#include "launch/verbs/sample_text.h"
#include "launch/verbs/terminal.h"
#include "launch/verbs/verb.h"

namespace rim {
namespace {

std::string counted(std::int64_t number) { return grouped(static_cast<long long>(number)); }

void show(const Sample& sample, const std::string& remark, const Tokenizer& tokenizer, bool colour) {
  std::cout << "--- " << printable(sample.origin) << "  (" << counted(std::ssize(sample.tokens)) << " tokens, "
            << remark << ")\n"
            << marked_text(sample, tokenizer, colour) << "\n";
}

// A row that data.max_length leaves nothing of is shown whole, with the reason.
void show_row(const Example& example, const ModelInputs& model, SampleOptions options, bool colour) {
  SampleStatistics statistics;
  const auto build = [&] {
    return build_samples({example}, model.tokenizer, model.chat_template, model.end_of_sequence, options, statistics);
  };
  for (const Sample& sample : build()) {
    const auto trained = std::count(sample.trained.begin(), sample.trained.end(), std::uint8_t{1});
    return show(sample, counted(trained) + " trained", model.tokenizer, colour);
  }
  const std::int64_t limit = std::exchange(options.max_length, std::numeric_limits<std::int64_t>::max());
  for (const Sample& sample : build()) {
    const auto first = std::ranges::find(sample.trained, std::uint8_t{1}) - sample.trained.begin();
    show(sample,
         "left out: its first trained token is number " + counted(first + 1) + ", and data.max_length is " +
             counted(limit),
         model.tokenizer, colour);
  }
}

int run(const Invocation& call) {
  const auto wanted = call.get<std::int64_t>("number");
  if (wanted < 1) throw Error(ExitCode::usage, "data show: -n must be at least 1");
  const RunConfig config =
      load_run_config(call.get<std::string>("CONFIG"), call.list("key=value"), monitor_variants(builtin_registry()));
  const std::filesystem::path& source = config.model.folder.empty() ? config.model.config : config.model.folder;
  const ModelInputs model = load_model_inputs(source, config.tokenizer, config.data.chat_template);
  const SampleOptions options{.max_length = config.data.max_length,
                              .thinking = parse_thinking_mode(config.data.thinking)};
  for (const DataFileSettings& file : config.data.train) {
    const std::int64_t limit = std::min(file.limit.value_or(wanted), wanted);
    for (const Example& example :
         read_examples({.path = file.path, .format = file.format, .weight = file.weight, .limit = limit})) {
      show_row(example, model, options, wants_colour(STDOUT_FILENO));
    }
  }
  return 0;
}

}  // namespace

Verb data_show_verb() {
  Verb verb;
  verb.name = "data show";
  verb.group = "Training";
  verb.summary = "print samples as the model gets them, trained tokens marked";
  verb.details =
      "Trained tokens are green on a terminal (NO_COLOR switches that off) and inside [[ and ]] elsewhere. Needs the\n"
      "model's configuration and tokenizer, and no weights.";
  verb.positionals = {{"CONFIG", true, false}, {"key=value", false, true}};
  verb.options.add_options()("help,h", "this text")(
      "number,n", boost::program_options::value<std::int64_t>()->default_value(3)->value_name("N"),
      "first rows of each training file to show");
  verb.examples = {"rimscope data show configs/qwen3-gsm8k.yaml -n 3",
                   "rimscope data show configs/qwen3-gsm8k.yaml data.thinking=empty | less"};
  verb.run = run;
  return verb;
}

}  // namespace rim
