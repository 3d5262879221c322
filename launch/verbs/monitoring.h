// The monitors of a configuration as the trainer's Observer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "launch/config/run_config.h"
#include "launch/verbs/model_inputs.h"
#include "launch/verbs/provenance.h"
#include "launch/verbs/run_start.h"
#include "monitors/core/probe_check.h"
#include "monitors/core/run_observer.h"

namespace rim {

MonitorRegistry builtin_registry();
// The registry's kinds as the configuration's schema wants them.
std::vector<OptionVariant> monitor_variants(const MonitorRegistry& registry);

// Reads every prompt set (none where there are no monitors). Throws as read_prompt_set, and Error(config) for a set
// that no monitor names in its options.
std::map<std::string, PromptSet> load_prompt_sets(const RunConfig& config);

std::vector<std::unique_ptr<Monitor>> make_monitors(const RunConfig& config, const MonitorRegistry& registry,
                                                    const ModelConfig& model);

// Declares what the monitors would ask for, so that what is wrong with their names, order, options and prompts is found
// before the weights are loaded. Throws Error(config), and Error(bad_data) for a prompt that is too long.
ProbeNeeds check_monitors(const RunConfig& config, const MonitorRegistry& registry, const ModelInputs& model,
                          const std::map<std::string, PromptSet>& prompt_sets, int ranks);

// Opens run.h5: anew, or cut back to the step that the run resumes from. A run that goes on from another folder's
// checkpoint takes the rows that were recorded there along, the base model's among them. Rank 0 only.
Recorder open_recorder(const RunPaths& paths, const RunStart& start, const Provenance& provenance);

// `model` outlives the observer.
std::unique_ptr<RunObserver> make_observer(const RunConfig& config, const MonitorRegistry& registry,
                                           const ModelInputs& model, std::map<std::string, PromptSet> prompt_sets,
                                           Communicator& communicator, Recorder* recorder,
                                           std::function<void(const std::string&)> announce);

}  // namespace rim
