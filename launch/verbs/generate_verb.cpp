#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <iostream>

#include "data/support/error.h"
#include "data/support/text.h"
#include "data/tokenizer/think_span.h"
#include "launch/verbs/compute_choice.h"
#include "launch/verbs/model_inputs.h"
#include "launch/verbs/sample_text.h"
#include "launch/verbs/verb.h"
#include "trainer/model/generation.h"

namespace rim {
namespace {

std::vector<Message> conversation(const Invocation& call) {
  std::vector<Message> messages;
  if (call.has("system")) messages.push_back({"system", call.get<std::string>("system"), ""});
  messages.push_back({"user", call.get<std::string>("PROMPT"), ""});
  return messages;
}

Decoder load(const std::filesystem::path& folder, const ModelConfig& config, const Invocation& call) {
  const GpuSurvey gpus = survey_gpus();
  const DeviceChoice choice = choose_device(call.get<std::string>("device"), 0, gpus);
  if (!choice.gpu_note.empty()) std::cerr << "note: no GPU is used: " + choice.gpu_note + "\n";
  const DtypeChoice dtype =
      choose_dtype("auto", choice.device, config, gpus, choice.device.is_cpu() ? bfloat16_gain(survey_hardware()) : 0);
  return load_decoder(folder, dtype.dtype, choice.device);
}

// A word that is none of `allowed` is found before anything is loaded.
void require_one_of(const Invocation& call, const std::string& option, const std::vector<std::string>& allowed) {
  const auto given = call.get<std::string>(option);
  if (std::find(allowed.begin(), allowed.end(), given) != allowed.end()) return;
  throw Error(ExitCode::usage, "generate: --" + option + " '" + given + "' is none of " + join(allowed, ", "));
}

// Beyond them the model computes on, but has never seen such positions.
void note_positions(std::int64_t prompt, std::int64_t limit, std::int64_t positions) {
  if (limit <= positions - prompt) return;
  std::cerr << "note: the model was made for " << positions << " tokens (max_position_embeddings), and a prompt of "
            << prompt << " with " << limit << " new ones may go beyond\n";
}

// What a training configuration calls data.chat_template is an option here.
template <typename Work>
auto with_own_option_names(const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    throw Error(error.code(), replace_all(error.what(), "data.chat_template: ", "--chat-template "));
  }
}

int run(const Invocation& call) {
  require_one_of(call, "thinking", {"on", "off", "empty"});
  require_one_of(call, "chat-template", {"auto", "chatml", "llama3"});
  require_one_of(call, "device", {"auto", "cpu", "cuda"});
  const std::int64_t limit = call.whole_number("max-new-tokens", 1);
  const ThinkingMode thinking = parse_thinking_mode(call.get<std::string>("thinking"));
  use_fair_share_of_cores(call.session);

  const std::filesystem::path folder = call.get<std::string>("model");
  const ModelInputs inputs = load_model_inputs(folder, folder, call.get<std::string>("chat-template"));
  const std::vector<TokenId> prompt = with_own_option_names(
      [&] { return inputs.tokenizer.encode(inputs.chat_template.render_prompt(conversation(call), thinking)); });
  note_positions(std::ssize(prompt), limit, inputs.config.max_position_embeddings);
  const Decoder model = load(folder, inputs.config, call);
  const Generation answer =
      generate_greedily(model, {prompt}, {.max_new_tokens = limit, .stop_tokens = inputs.stop_tokens, .batch_size = 1})
          .front();
  std::cout << printable_lines(visible_text(inputs.tokenizer, answer.tokens)) << "\n";
  if (!answer.stopped)
    std::cerr << "(cut after " << answer.tokens.size() << " tokens; --max-new-tokens gives it more)\n";
  return 0;
}

}  // namespace

Verb generate_verb() {
  namespace po = boost::program_options;
  Verb verb;
  verb.name = "generate";
  verb.group = "Looking";
  verb.summary = "let a model or a checkpoint answer a prompt, greedily";
  verb.positionals = {{"PROMPT", true, false}};
  verb.options.add_options()("help,h", "this text")("model", po::value<std::string>()->required()->value_name("DIR"),
                                                    "Hugging Face folder or checkpoint")(
      "thinking", po::value<std::string>()->default_value("on")->value_name("MODE"), "on, off or empty")(
      "max-new-tokens", po::value<std::int64_t>()->default_value(256)->value_name("N"), "longest answer")(
      "system", po::value<std::string>()->value_name("TEXT"), "system message (default: the template's own)")(
      "chat-template", po::value<std::string>()->default_value("auto")->value_name("NAME"), "auto, chatml or llama3")(
      "device", po::value<std::string>()->default_value("auto")->value_name("NAME"), "auto, cpu or cuda");
  verb.examples = {"rimscope generate --model models/SmolLM2-135M-Instruct \"How many is 3 dozen eggs?\"",
                   "rimscope generate --model runs/demo/target/checkpoints/step-000240 \"What is 47+38?\""};
  verb.run = run;
  return verb;
}

}  // namespace rim
