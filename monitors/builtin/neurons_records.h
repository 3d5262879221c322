// What the neurons monitor writes into run.h5.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "monitors/builtin/neuron_selection.h"
#include "monitors/core/monitor.h"

namespace rim {

struct SelectionRecord {
  std::string name;
  SelectionRule rule;
  std::int64_t votes_per_layer = 0;
  std::vector<std::string> pair_ids;
  at::Tensor differences;  // fp32 [pairs, layers, intermediate]
  double split_half = 0;
  std::vector<NeuronIndex> selected;
  at::Tensor controls;  // int64 [draws, neurons], flat
  std::int64_t intermediate = 0;
};

// Jaccard of the sets selected from the even and from the odd pairs.
double split_half_stability(const at::Tensor& differences, const SelectionRule& rule);

void write_selection(const SelectionRecord& record, RecordSink& sink);
// fp32 [neurons] and [draws, neurons].
void write_activations(const std::string& name, const at::Tensor& safety, const at::Tensor& control, RecordSink& sink);
void write_overlap(const std::string& name, double overlap, RecordSink& sink);
std::string selection_headline(const SelectionRecord& record);

}  // namespace rim
