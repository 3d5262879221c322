// What the neurons monitor writes into run.h5.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "monitors/builtin/neuron_selection.h"
#include "monitors/core/monitor.h"

namespace rim {

// The sets that a run follows and how they were found: all of it is known after a resumption too.
struct NeuronSets {
  std::string name;  // the monitor's
  SelectionRule rule;
  std::string instruction;  // appended to a request
  std::string measured;     // "set 'harmful', region 'last_prompt', thinking off"
  std::vector<std::string> pair_ids;
  std::vector<NeuronIndex> selected;
  at::Tensor controls;  // int64 [draws, neurons], flat
  std::int64_t layers = 0, intermediate = 0;
};

// Jaccard of the sets selected from the even and from the odd pairs.
double split_half_stability(const at::Tensor& differences, const SelectionRule& rule);

void write_sets(const NeuronSets& sets, RecordSink& sink);
// What only the base model shows. `differences`: fp32 [pairs, layers, intermediate].
void write_pair_differences(const NeuronSets& sets, const at::Tensor& differences, double split_half, RecordSink& sink);
// fp32 [neurons] and [draws, neurons].
void write_activations(const NeuronSets& sets, const at::Tensor& safety, const at::Tensor& control, RecordSink& sink);
void write_overlap(const std::string& name, double overlap, RecordSink& sink);
std::string selection_headline(const NeuronSets& sets, double split_half);

}  // namespace rim
