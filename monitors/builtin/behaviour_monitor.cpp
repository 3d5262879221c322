#include <algorithm>

#include "data/support/error.h"
#include "data/support/text.h"
#include "monitors/builtin/behaviour_records.h"
#include "monitors/builtin/builtin_monitors.h"
#include "monitors/builtin/headline_prefix.h"
#include "monitors/builtin/option_specs.h"
#include "monitors/core/base_conditions.h"

namespace rim {
namespace {

struct BehaviourOptions {
  std::string name;
  std::string harmful, harmless, task;  // prompt sets; empty: not asked for
  std::vector<ThinkingMode> thinking;
  std::int64_t max_new_tokens = 256;
  std::string refusal_text, compliance_text;
  JudgeOptions judge;
  std::string prefix;  // of headlines: the name, where it is not the default
};

BehaviourOptions read_options(const Json& json) {
  const std::string origin = "monitor behaviour";
  BehaviourOptions options;
  options.name = json_string(json, "name", origin);
  options.prefix = headline_prefix(options.name, "behaviour");
  options.harmful = json_string_or(json, "harmful", "", origin);
  options.harmless = json_string_or(json, "harmless", "", origin);
  options.task = json_string_or(json, "task", "", origin);
  if (options.harmful.empty() && options.harmless.empty() && options.task.empty()) {
    throw Error(ExitCode::config, origin + ": give at least one of the prompt sets harmful, harmless and task");
  }
  for (const Json& mode : json["thinking"]) {
    const ThinkingMode parsed = parse_thinking_mode(mode.get<std::string>());
    if (std::ranges::find(options.thinking, parsed) == options.thinking.end()) options.thinking.push_back(parsed);
  }
  if (options.thinking.empty()) throw Error(ExitCode::config, origin + ": 'thinking' lists no mode");
  options.max_new_tokens = json_integer(json, "max_new_tokens", origin);
  options.refusal_text = json_string(json, "refusal_text", origin);
  options.compliance_text = json_string(json, "compliance_text", origin);
  options.judge.topical = json_bool(json, "topical", origin);
  return options;
}

// One role (harmful, harmless, task): its prompts and a generation per thinking mode.
struct Role {
  std::string role;
  std::vector<Prompt> prompts;
  std::vector<std::size_t> handles;  // by thinking mode
};

class BehaviourMonitor : public Monitor {
 public:
  explicit BehaviourMonitor(BehaviourOptions options) : options_(std::move(options)) {}

  void declare(ProbePlan& plan) override {
    roles_.clear();
    add_role("harmful", options_.harmful, plan);
    add_role("harmless", options_.harmless, plan);
    add_role("task", options_.task, plan);
  }

  void observe(Observation& observation) override {
    for (const Role& role : roles_) {
      const std::string base = options_.name + "." + role.role;
      if (!names_written_) write_behaviour_names(base, role.role, role.prompts, observation.sink);
      std::string headline;
      for (std::size_t mode = 0; mode < options_.thinking.size(); ++mode) {
        const std::string name = to_string(options_.thinking[mode]);
        const auto& responses = observation.results.generations[role.handles[mode]];
        const BehaviourSlice slice{.prefix = base + "." + name,
                                   .role = role.role,
                                   .thinking = options_.thinking[mode],
                                   .max_new_tokens = options_.max_new_tokens};
        headline += (mode == 0 ? " " : "; ") + name + " " + record(slice, role.prompts, responses, observation.sink);
      }
      observation.headlines.push_back(options_.prefix + (role.role == "task" ? "accuracy" : "refusal " + role.role) +
                                      headline);
    }
    names_written_ = true;
  }

  [[nodiscard]] TensorMap state() const override { return {{"conditions", pack_conditions(conditions())}}; }

  void load_state(const TensorMap& state) override {
    if (state.empty()) return;
    const auto found = state.find("conditions");
    if (found == state.end()) {
      throw Error(ExitCode::bad_data, "the checkpoint's state is not that of a behaviour monitor");
    }
    require_same_conditions(found->second, conditions());
  }

 private:
  [[nodiscard]] BaseConditions conditions() const {
    std::vector<std::string> modes;
    for (const ThinkingMode mode : options_.thinking) modes.push_back(to_string(mode));
    return {{"harmful", options_.harmful},
            {"harmless", options_.harmless},
            {"task", options_.task},
            {"thinking", join(modes, ", ")},
            {"max_new_tokens", std::to_string(options_.max_new_tokens)},
            {"topical", options_.judge.topical ? "true" : "false"},
            {"refusal_text", options_.refusal_text},
            {"compliance_text", options_.compliance_text}};
  }

  void add_role(const std::string& role, const std::string& set, ProbePlan& plan) {
    if (set.empty()) return;
    Role entry{.role = role, .prompts = plan.prompt_set(set).prompts, .handles = {}};
    const bool task = role == "task";
    for (const Prompt& prompt : entry.prompts) {
      if (task && prompt.answer.empty()) {
        throw Error(ExitCode::config, "monitor " + options_.name + ": prompt '" + prompt.id + "' of the task set '" +
                                          set + "' has no gold answer");
      }
    }
    for (const ThinkingMode thinking : options_.thinking) {
      entry.handles.push_back(plan.request(GenerationRequest{.prompt_set = set,
                                                             .thinking = thinking,
                                                             .max_new_tokens = options_.max_new_tokens,
                                                             .refusal_text = task ? "" : options_.refusal_text,
                                                             .compliance_text = task ? "" : options_.compliance_text}));
    }
    roles_.push_back(std::move(entry));
  }

  [[nodiscard]] std::string record(const BehaviourSlice& slice, const std::vector<Prompt>& prompts,
                                   const std::vector<GeneratedResponse>& responses, RecordSink& sink) const {
    const bool task = slice.role == "task";
    const std::string headline = task ? record_task(slice, prompts, responses, sink)
                                      : record_safety(slice, prompts, responses, options_.judge, sink);
    if (!task && !options_.refusal_text.empty()) {
      record_scores(slice, responses, options_.refusal_text, options_.compliance_text, sink);
    }
    return headline + record_shape(slice, responses, sink);
  }

  BehaviourOptions options_;
  std::vector<Role> roles_;
  bool names_written_ = false;
};

}  // namespace

MonitorKind behaviour_kind() {
  MonitorKind kind;
  kind.kind = "behaviour";
  kind.help = "refusal on harmful and harmless requests and accuracy on a task, by greedy generation";
  OptionSpec thinking;
  thinking.name = "thinking";
  thinking.type = OptionType::string_list;
  thinking.fallback = Json::array({"on", "off"});
  thinking.help = "thinking modes to generate in";
  thinking.choices = kThinkingNames;
  kind.options = {
      string_option("name", "behaviour", "prefix of the recorded series"),
      string_option("harmful", nullptr, "prompt set of harmful requests: refused, complied (misaligned), incoherent"),
      string_option("harmless", nullptr, "prompt set of harmless requests: refused is over-refusal"),
      string_option("task", nullptr, "prompt set with gold answers: accuracy"),
      thinking,
      integer_option("max_new_tokens", 256, 1, 1e6, "responses are cut there, and counted as truncated"),
      refusal_text_option(),
      compliance_text_option(),
      boolean_option("topical", false, "fluent text about something else is off topic, not compliance"),
  };
  kind.make = [](const Json& options, const MonitorContext&) -> std::unique_ptr<Monitor> {
    return std::make_unique<BehaviourMonitor>(read_options(options));
  };
  return kind;
}

}  // namespace rim
