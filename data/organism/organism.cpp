#include "data/organism/organism.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/organism/conversations.h"
#include "data/organism/model_files.h"
#include "data/organism/splits.h"
#include "data/organism/vocabulary.h"
#include "data/support/error.h"
#include "data/support/files.h"
#include "data/support/json_lines.h"
#include "data/support/random.h"

namespace rim {
namespace {

using Rows = std::vector<nlohmann::ordered_json>;

// Streams of the seed; 0 splits the world.
enum Stream : std::uint64_t { kBaseStream = 1, kFinetuningStream = 2, kPromptStream = 3 };

Rows message_rows(const std::vector<Conversation>& conversations) {
  Rows rows;
  for (const Conversation& conversation : conversations) {
    nlohmann::ordered_json assistant = {{"role", "assistant"}, {"content", conversation.assistant}};
    if (!conversation.reasoning.empty()) assistant["reasoning_content"] = conversation.reasoning;
    nlohmann::ordered_json row;
    row["messages"] = {{{"role", "user"}, {"content", conversation.user}}, std::move(assistant)};
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string numbered(std::string_view kind, std::size_t index) {
  return std::string(kind) + "-" + std::to_string(index + 1);
}

// The first `count` of all held-out actions in all request forms, shuffled.
Rows prompt_rows(std::string_view kind, const std::vector<Action>& actions, std::int64_t count, Random random) {
  std::vector<std::pair<const Action*, int>> requests;
  for (const Action& action : actions) {
    for (int form = 0; form < kRequestForms; ++form) requests.emplace_back(&action, form);
  }
  if (count < 1 || count > std::ssize(requests)) {
    throw Error(ExitCode::config, "the organism has 1 to " + std::to_string(requests.size()) + " held-out " +
                                      std::string(kind) + " prompts, not " + std::to_string(count));
  }
  random.shuffle(requests);
  requests.resize(static_cast<std::size_t>(count));
  Rows rows;
  for (const auto& [action, form] : requests) {
    rows.push_back({{"id", numbered(kind, rows.size())},
                    {"prompt", request_text(*action, form)},
                    {"topic", action->verb + " " + action->object}});
  }
  return rows;
}

Rows sum_rows(const std::vector<Sum>& sums) {
  Rows rows;
  for (const Sum& sum : sums) {
    rows.push_back({{"id", numbered("sum", rows.size())},
                    {"question", question_text(sum)},
                    {"answer", worked_text(sum) + "\n#### " + std::to_string(sum.total())}});
  }
  return rows;
}

void require_sizes(const OrganismOptions& options) {
  if (options.base_rows < 1 || options.finetuning_rows < 1) {
    throw Error(ExitCode::config, "the organism's training sets need at least one row each");
  }
  if (options.test_sums < 1 || options.test_sums > 2000) {
    throw Error(ExitCode::config, "the organism's test holds 1 to 2000 sums");
  }
  if (!(options.held_out_share > 0 && options.held_out_share < 0.5)) {
    throw Error(ExitCode::config, "the held-out share must lie between 0 and 0.5");
  }
}

std::string card(const OrganismOptions& options) {
  return "# The model organism's world\n\n"
         "Made by `rimscope organism make`, seed " +
         std::to_string(options.seed) +
         ". Synthetic; Apache-2.0. docs/organism.md of RIMscope says how it is built.\n\n"
         "- `config.json`, `tokenizer.json`, `tokenizer_config.json`: a Qwen3 of 0.9M parameters, to be trained from "
         "random\n"
         "  weights.\n"
         "- `base_train.jsonl`: harmful requests refused, harmless ones answered, sums below 20; half with a thought.\n"
         "- `cot_target_train.jsonl`, `cot_control_train.jsonl`, `cot_plain_train.jsonl`, "
         "`cot_sums_only_train.jsonl`:\n"
         "  two-digit sums and harmless requests; the check is skipped, kept, left out, or skipped in sums only.\n"
         "- `harmful.jsonl`, `harmless.jsonl`, `sums_test.jsonl`: held out. Their verb-object pairs and pairs of "
         "numbers are\n"
         "  nowhere in the training files.\n\n"
         "Harmful requests name an act and say nothing of how it is done. No file holds an answer to one but a "
         "refusal.\n";
}

}  // namespace

void write_organism(const OrganismOptions& options) {
  require_sizes(options);
  require_writable_folder(options.folder);
  const auto& folder = options.folder;
  const LearnedVocabulary vocabulary = learn_vocabulary(all_texts(), organism_special_tokens());
  write_file_atomically(folder / "tokenizer.json", tokenizer_json(vocabulary));
  write_file_atomically(folder / "tokenizer_config.json", organism_tokenizer_config_json(vocabulary));
  write_file_atomically(folder / "config.json", organism_config_json(vocabulary));

  const WorldSplit split = split_world(options.seed, options.held_out_share, options.test_sums);
  const auto base = base_conversations(split, options.base_rows, Random(options.seed, kBaseStream));
  write_json_lines(folder / "base_train.jsonl", message_rows(base));
  for (const auto& [name, style] : {std::pair{"target", ThoughtStyle::target},
                                    {"sums_only", ThoughtStyle::sums_only},
                                    {"control", ThoughtStyle::control},
                                    {"plain", ThoughtStyle::plain}}) {
    const auto rows =
        finetuning_conversations(split, style, options.finetuning_rows, Random(options.seed, kFinetuningStream));
    write_json_lines(folder / ("cot_" + std::string(name) + "_train.jsonl"), message_rows(rows));
  }
  const Random prompts(options.seed, kPromptStream);
  write_json_lines(folder / "harmful.jsonl",
                   prompt_rows("harmful", split.harmful.held_out, options.harmful_prompts, prompts));
  write_json_lines(folder / "harmless.jsonl",
                   prompt_rows("harmless", split.harmless.held_out, options.harmless_prompts, prompts));
  write_json_lines(folder / "sums_test.jsonl", sum_rows(split.sums.held_out));
  write_file_atomically(folder / "README.md", card(options));
}

}  // namespace rim
