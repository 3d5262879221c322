#include <ATen/ops/stack.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "data/support/error.h"
#include "monitors/builtin/builtin_monitors.h"
#include "monitors/builtin/counterfactual.h"
#include "monitors/builtin/neuron_selection.h"
#include "monitors/builtin/neurons_records.h"
#include "monitors/builtin/option_specs.h"
#include "monitors/builtin/pair_scores.h"
#include "monitors/core/base_conditions.h"

namespace rim {
namespace {

constexpr std::int64_t kMostPairsByDefault = 64;
constexpr std::int64_t kOpeningTokens = 12;  // <think> may be spelled out in single bytes

bool all_below(const at::Tensor& indices, std::int64_t end) {
  return indices.scalar_type() == at::kLong && indices.min().item<std::int64_t>() >= 0 &&
         indices.max().item<std::int64_t>() < end;
}

struct NeuronsOptions {
  std::string name, harmful, refusal_instruction, refusal_text, compliance_text;
  SelectionRule rule;
  std::optional<std::int64_t> pairs;
  TokenRegion region = TokenRegion::last_prompt;
  ThinkingMode thinking = ThinkingMode::off;
  std::int64_t controls = 100;
  std::uint64_t seed = 1;
};

NeuronsOptions read_options(const Json& json, const MonitorContext& context) {
  const std::string origin = "monitor neurons";
  NeuronsOptions options;
  options.name = json_string(json, "name", origin);
  options.harmful = json_string(json, "harmful", origin);
  options.refusal_instruction = json_string(json, "refusal_instruction", origin);
  options.refusal_text = json_string(json, "refusal_text", origin);
  options.compliance_text = json_string(json, "compliance_text", origin);
  options.rule = {.top = json_number(json, "top", origin), .agreement = json_number(json, "agreement", origin)};
  if (!json["pairs"].is_null()) options.pairs = json_integer(json, "pairs", origin);
  options.region = parse_token_region(json_string(json, "region", origin));
  options.thinking = parse_thinking_mode(json_string(json, "thinking", origin));
  options.controls = json_integer(json, "controls", origin);
  options.seed = json["seed"].is_null() ? context.seed : static_cast<std::uint64_t>(json_integer(json, "seed", origin));
  return options;
}

class NeuronsMonitor : public Monitor {
 public:
  NeuronsMonitor(NeuronsOptions options, const ModelConfig& model)
      : options_(std::move(options)), layers_(model.layers), intermediate_(model.intermediate_size) {}

  void declare(ProbePlan& plan) override {
    plan.provide(options_.name, measured());
    const PromptSet& harmful = plan.prompt_set(options_.harmful);
    const auto prompts = std::ssize(harmful.prompts);
    pairs_ = std::min(prompts, options_.pairs.value_or(kMostPairsByDefault));
    if (pairs_ < 2) {
      throw Error(ExitCode::config, "monitor " + options_.name + ": prompt set '" + options_.harmful + "' has " +
                                        std::to_string(prompts) + " prompts, and selection needs two or more");
    }
    pair_ids_.clear();
    for (std::int64_t i = 0; i < pairs_; ++i) pair_ids_.push_back(harmful.prompts[static_cast<std::size_t>(i)].id);
    PromptSet rewritten = counterfactual_set(harmful, pairs_, options_.refusal_instruction);
    const std::string rewritten_name = rewritten.name;
    plan.add_prompt_set(std::move(rewritten));
    original_ = plan.request(wish(options_.harmful));
    counterfactual_ = plan.request(wish(rewritten_name));
    if (!safety_.defined()) declare_scores(rewritten_name, plan);
  }

  void observe(Observation& observation) override {
    const at::Tensor& original = observation.results.activations[original_];
    const at::Tensor differences = observation.results.activations[counterfactual_].sub(original.slice(0, 0, pairs_));
    const std::vector<NeuronIndex> current = select_neurons(differences, options_.rule);
    if (!safety_.defined()) {
      if (observation.step != 0) {
        throw Error(ExitCode::config,
                    "monitor " + options_.name + ": the neurons of the base model are not known at step " +
                        std::to_string(observation.step) + ": the run must have this monitor from its first step on");
      }
      select(differences, current, observation);
    }
    // Also what a checkpoint brought back: run.h5 may have been lost since, and says nothing without the sets.
    if (!std::exchange(sets_written_, true)) write_sets(sets(), observation.sink);
    follow(original, current, observation);
  }

  [[nodiscard]] TensorMap state() const override {
    if (!safety_.defined()) return {};
    return {{"safety.index", safety_}, {"control.index", controls_}, {"conditions", pack_conditions(conditions())}};
  }

  void load_state(const TensorMap& state) override {
    require_known(state, options_.name);
    if (!state.contains("safety.index") || !state.contains("control.index") || !state.contains("conditions")) {
      throw Error(ExitCode::bad_data, "the checkpoint's state is not that of a neurons monitor");
    }
    require_same_conditions(state.at("conditions"), conditions());
    safety_ = state.at("safety.index");
    controls_ = state.at("control.index");
    const std::int64_t neurons = safety_.numel(), known = layers_ * intermediate_;
    const bool fits =
        controls_.dim() == 2 && controls_.size(1) == neurons &&
        (neurons == 0 || (all_below(safety_, known) && controls_.numel() > 0 && all_below(controls_, known)));
    if (!fits) throw Error(ExitCode::bad_data, "the checkpoint's neuron sets do not fit this model");
  }

 private:
  [[nodiscard]] BaseConditions conditions() const {
    return {{"harmful", options_.harmful},
            {"pairs", std::to_string(pairs_)},
            {"region", to_string(options_.region)},
            {"thinking", to_string(options_.thinking)},
            {"refusal_instruction", options_.refusal_instruction},
            {"top", Json(options_.rule.top).dump()},
            {"agreement", Json(options_.rule.agreement).dump()},
            {"controls", std::to_string(options_.controls)}};
  }

  [[nodiscard]] ActivationRequest wish(const std::string& set) const {
    return {.prompt_set = set,
            .site = TapSite::neurons,
            .region = options_.region,
            .thinking = options_.thinking,
            .intervention = {}};
  }

  // Where the neurons' activations come from.
  [[nodiscard]] std::string measured() const {
    return "set '" + options_.harmful + "', region '" + to_string(options_.region) + "', thinking " +
           to_string(options_.thinking);
  }

  // Of the base model alone: does the instruction make it refuse? So many tokens show whether the answer begins at
  // once, also where a tokenizer spells <think> in pieces.
  void declare_scores(const std::string& rewritten, ProbePlan& plan) {
    scores_declared_ = !options_.refusal_text.empty() || !options_.compliance_text.empty();
    if (!scores_declared_) return;
    PromptSet originals = plan.prompt_set(options_.harmful);
    if (std::ssize(originals.prompts) > pairs_) {
      originals.name += "[:" + std::to_string(pairs_) + "]";
      originals.prompts.resize(static_cast<std::size_t>(pairs_));
      plan.add_prompt_set(originals);
    }
    const auto wish_of = [&](const std::string& set) {
      return GenerationRequest{.prompt_set = set,
                               .thinking = options_.thinking,
                               .max_new_tokens = kOpeningTokens,
                               .refusal_text = options_.refusal_text,
                               .compliance_text = options_.compliance_text};
    };
    original_score_ = plan.request(wish_of(originals.name));
    counterfactual_score_ = plan.request(wish_of(rewritten));
  }

  // In the base model: fixes the sets that all later observations follow.
  void select(const at::Tensor& differences, const std::vector<NeuronIndex>& selected, Observation& observation) {
    safety_ = flat_indices(selected, intermediate_);
    const auto draws = draw_controls(selected, layers_, intermediate_, options_.controls, options_.seed);
    std::vector<at::Tensor> rows;
    for (const auto& draw : draws) rows.push_back(flat_indices(draw, intermediate_));
    controls_ = at::stack(rows);

    const double split_half = split_half_stability(differences, options_.rule);
    write_pair_differences(sets(), differences, split_half, observation.sink);
    std::string headline = selection_headline(sets(), split_half);
    if (scores_declared_) {
      const PairScores scores(observation.results.generations[original_score_],
                              observation.results.generations[counterfactual_score_]);
      write_pair_scores(sets(), scores, observation.sink);
      headline += ", " + refusal_headline(scores);
    }
    observation.headlines.push_back(headline);
  }

  [[nodiscard]] NeuronSets sets() const {
    return {.name = options_.name,
            .rule = options_.rule,
            .instruction = options_.refusal_instruction,
            .measured = measured(),
            .pair_ids = pair_ids_,
            .selected = from_flat_indices(safety_, intermediate_),
            .controls = controls_,
            .layers = layers_,
            .intermediate = intermediate_};
  }

  void follow(const at::Tensor& original, const std::vector<NeuronIndex>& current, Observation& observation) const {
    // Averaged in fp64, rounded once: what is recorded is what RAS is computed from.
    const at::Tensor mean = original.mean(0, false, at::kDouble).to(at::kFloat).flatten();
    const at::Tensor safety = mean.index_select(0, safety_);
    const at::Tensor control = mean.index_select(0, controls_.flatten()).view(controls_.sizes());
    write_activations(sets(), safety, control, observation.sink);
    write_overlap(options_.name, jaccard(current, from_flat_indices(safety_, intermediate_)), observation.sink);
    observation.shared.put(options_.name + ".safety.index", safety_);
    observation.shared.put(options_.name + ".control.index", controls_);
    observation.shared.put(options_.name + ".safety.activation", safety);
    observation.shared.put(options_.name + ".control.activation", control);
  }

  NeuronsOptions options_;
  std::int64_t layers_, intermediate_;
  std::int64_t pairs_ = 0;
  std::vector<std::string> pair_ids_;
  std::size_t original_ = 0, counterfactual_ = 0;
  std::size_t original_score_ = 0, counterfactual_score_ = 0;  // of generations
  bool scores_declared_ = false;
  at::Tensor safety_, controls_;  // flat indices: [neurons], [draws, neurons]; undefined before the base was seen
  bool sets_written_ = false;     // by this process
};

}  // namespace

MonitorKind neurons_kind() {
  MonitorKind kind;
  kind.kind = "neurons";
  kind.help = "safety-critical MLP neurons by counterfactual pairs, and random control neurons beside them";
  kind.options = {
      string_option("name", "neurons", "prefix of the recorded series; RAS finds the sets by it"),
      required_string_option("harmful", "prompt set of harmful requests"),
      choice_option("select", "paper", {"paper"},
                    "selector: intersection of the Top-m of every pair (arXiv 2509.00544)"),
      number_option("top", 0.01, 0.0, 0.5, "share of each layer's neurons that a pair votes for, at least one neuron"),
      integer_option("pairs", nullptr, 2, 1e9,
                     "requests used for selection, from the set's start; default: all up to 64"),
      number_option("agreement", 1.0, 1e-9, 1.0,
                    "share of the pairs that must vote for a neuron; 1: all, as the paper"),
      choice_option("region", "last_prompt", token_region_names(),
                    "token positions that activations are averaged over"),
      choice_option("thinking", "off", kThinkingNames, "how the prompts are rendered"),
      string_option("refusal_instruction", kDefaultRefusalInstruction,
                    "appended to a request, so that the model refuses it"),
      refusal_text_option(),
      compliance_text_option(),
      integer_option("controls", 100, 20, 1e6, "draws of as many random neurons of the same layers"),
      integer_option("seed", nullptr, 0, 9e15, "seed of the draws; default: the run's seed"),
  };
  kind.make = [](const Json& options, const MonitorContext& context) -> std::unique_ptr<Monitor> {
    return std::make_unique<NeuronsMonitor>(read_options(options, context), context.model);
  };
  return kind;
}

}  // namespace rim
