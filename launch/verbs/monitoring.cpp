#include "launch/verbs/monitoring.h"

#include <algorithm>
#include <set>

#include "data/support/error.h"
#include "launch/verbs/terminal.h"
#include "monitors/builtin/builtin_monitors.h"
#include "monitors/recorder/run_reader.h"

namespace rim {
namespace {

bool mentions(const Json& options, const std::string& name) {
  return std::any_of(options.begin(), options.end(), [&](const Json& value) { return value == name; });
}

// A set that is read for nobody is a forgotten monitor or a misspelt name.
void require_use(const RunConfig& config, const std::string& name) {
  const bool used = std::any_of(config.monitors.begin(), config.monitors.end(),
                                [&](const MonitorSettings& monitor) { return mentions(monitor.options, name); });
  if (!used)
    throw Error(ExitCode::config, "prompt_sets." + name + ": no monitor uses it; take it out, or name it in one");
}

// Series are named after their monitor: two of one name would write over each other. Dots part a series' name, HDF5
// takes no "/", and a name is shown on terminals and pages.
void claim_name(const MonitorSettings& monitor, std::set<std::string>& names) {
  const std::string name = json_string_or(monitor.options, "name", monitor.kind, "monitor " + monitor.kind);
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  if (name.empty() || !std::ranges::all_of(name, plain)) {
    throw Error(ExitCode::config, "name '" + printable(name) + "': must be of letters, digits, _ and -, at least one");
  }
  if (names.insert(name).second) return;
  throw Error(ExitCode::config, "two monitors are called '" + name + "': give one of them another 'name'");
}

ProbeRunnerOptions probe_options(const ModelInputs& model) {
  ProbeRunnerOptions options;
  options.stop_tokens = model.stop_tokens;
  options.max_length = std::min(options.max_length, model.config.max_position_embeddings);
  return options;
}

}  // namespace

MonitorRegistry builtin_registry() {
  MonitorRegistry registry;
  register_builtin_monitors(registry);
  return registry;
}

std::vector<OptionVariant> monitor_variants(const MonitorRegistry& registry) {
  std::vector<OptionVariant> variants;
  for (const MonitorKind& kind : registry.kinds()) variants.push_back({kind.kind, kind.help, kind.options});
  return variants;
}

std::map<std::string, PromptSet> load_prompt_sets(const RunConfig& config) {
  std::map<std::string, PromptSet> sets;
  if (config.monitors.empty()) return sets;  // monitors=[] on the command line switches the sets off with them
  for (const auto& [name, settings] : config.prompt_sets) {
    require_use(config, name);
    PromptSetSource source{
        .path = settings.path, .format = settings.format, .limit = settings.limit, .where = settings.where};
    if (!settings.field.empty()) source.field = settings.field;
    sets.emplace(name, with_context("prompt_sets." + name, [&] { return read_prompt_set(name, source); }));
  }
  return sets;
}

std::vector<std::unique_ptr<Monitor>> make_monitors(const RunConfig& config, const MonitorRegistry& registry,
                                                    const ModelConfig& model) {
  std::vector<std::unique_ptr<Monitor>> monitors;
  for (std::size_t i = 0; i < config.monitors.size(); ++i) {
    const MonitorSettings& settings = config.monitors[i];
    monitors.push_back(with_context("monitors." + std::to_string(i), [&] {
      return registry.make(settings.kind, settings.options, {.model = model, .seed = config.seed});
    }));
  }
  return monitors;
}

ProbeNeeds check_monitors(const RunConfig& config, const MonitorRegistry& registry, const ModelInputs& model,
                          const std::map<std::string, PromptSet>& prompt_sets, int ranks) {
  ProbePlan plan;
  for (const auto& [name, set] : prompt_sets) plan.add_prompt_set(set);
  const auto monitors = make_monitors(config, registry, model.config);
  std::set<std::string> names;
  for (std::size_t i = 0; i < monitors.size(); ++i) {
    with_context("monitors." + std::to_string(i), [&] {
      claim_name(config.monitors[i], names);
      monitors[i]->declare(plan);
    });
  }
  return check_probes(plan, model.tokenizer, model.chat_template, probe_options(model), model.config, ranks);
}

Recorder open_recorder(const RunPaths& paths, const RunStart& start, const Provenance& provenance) {
  if (start.checkpoint.empty()) return Recorder::create(paths.record, provenance);
  if (!start.replaces_old_run && std::filesystem::exists(paths.record))
    return Recorder::resume(paths.record, provenance, start.step);
  if (const auto origin = folder_of_origin(start)) {
    return Recorder::continue_from(origin->record, paths.record, provenance, start.step);
  }
  return Recorder::create_later(paths.record, provenance);
}

std::unique_ptr<RunObserver> make_observer(const RunConfig& config, const MonitorRegistry& registry,
                                           const ModelInputs& model, std::map<std::string, PromptSet> prompt_sets,
                                           Communicator& communicator, Recorder* recorder,
                                           std::function<void(const std::string&)> announce) {
  return std::make_unique<RunObserver>(make_monitors(config, registry, model.config), std::move(prompt_sets),
                                       ProbeRunner(model.tokenizer, model.chat_template, probe_options(model)),
                                       communicator, recorder, std::move(announce));
}

}  // namespace rim
