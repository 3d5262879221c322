#include <unistd.h>

#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <iostream>

#include "data/support/error.h"
#include "launch/verbs/model_inputs.h"
#include "launch/verbs/monitoring.h"
#include "launch/verbs/sample_text.h"
#include "launch/verbs/terminal.h"
#include "launch/verbs/training_data.h"
#include "launch/verbs/verb.h"

namespace rim {
namespace {

void show_file(const DataSettings& settings, const ModelInputs& model, bool colour) {
  const TrainingData data = load_training_data(settings, model);
  for (const Sample& sample : data.samples) {
    const auto trained = std::count(sample.trained.begin(), sample.trained.end(), std::uint8_t{1});
    std::cout << "--- " << printable(sample.origin) << "  (" << grouped(static_cast<long long>(sample.tokens.size()))
              << " tokens, " << grouped(trained) << " trained)\n"
              << marked_text(sample, model.tokenizer, colour) << "\n";
  }
  if (data.statistics.dropped > 0) {
    std::cout << "--- " << data.statistics.dropped << " dropped: data.max_length cuts them before a trained token\n";
  }
}

int run(const Invocation& call) {
  const auto wanted = call.get<std::int64_t>("number");
  if (wanted < 1) throw Error(ExitCode::usage, "data show: -n must be at least 1");
  const RunConfig config =
      load_run_config(call.get<std::string>("CONFIG"), call.list("key=value"), monitor_variants(builtin_registry()));
  const std::filesystem::path& source = config.model.folder.empty() ? config.model.config : config.model.folder;
  const ModelInputs model = load_model_inputs(source, config.tokenizer, config.data.chat_template);
  for (DataFileSettings file : config.data.train) {
    file.limit = std::min(file.limit.value_or(wanted), wanted);
    DataSettings settings = config.data;
    settings.train = {file};
    show_file(settings, model, wants_colour(STDOUT_FILENO));
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
