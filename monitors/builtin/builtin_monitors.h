// The monitors of the core claim. Their options are in the tables below each name, their formulas in docs/methods.md.
#pragma once

#include "monitors/core/monitor.h"

namespace rim {

// Safety-critical neurons by counterfactual pairs and random control draws: selected in the base model, followed at
// every checkpoint. Shares "<name>.safety.index" (int64 [neurons], layer * intermediate + neuron),
// "<name>.control.index"
// ([draws, neurons]), "<name>.safety.activation" (fp32 [neurons]) and "<name>.control.activation" ([draws, neurons]).
MonitorKind neurons_kind();

// Reciprocal Activation Shift of those sets: safety prompts as the neurons monitor measured them, against a task.
MonitorKind ras_kind();

// Refusal on harmful and harmless requests and accuracy on a task, by greedy generation, per thinking mode.
MonitorKind behaviour_kind();

// Explicit, because static self-registration is lost in static libraries.
void register_builtin_monitors(MonitorRegistry& registry);

}  // namespace rim
