#include "monitors/builtin/neurons_records.h"

#include <cstdio>

#include "monitors/core/arrays.h"

namespace rim {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

std::string rule_in_words(const SelectionRecord& record) {
  return "In each layer a pair votes for its " + std::to_string(record.votes_per_layer) +
         " neurons with the largest signed difference; selected: at least a share of " + number(record.rule.agreement) +
         " of the " + std::to_string(record.pair_ids.size()) +
         " pairs voted for it (1: the intersection of arXiv 2509.00544).";
}

Array integers(const std::vector<std::int64_t>& values) { return {.shape = {std::ssize(values)}, .values = values}; }

void write_sets(const SelectionRecord& record, RecordSink& sink) {
  std::vector<std::int64_t> layer, neuron;
  for (const NeuronIndex& index : record.selected) {
    layer.push_back(index.layer);
    neuron.push_back(index.neuron);
  }
  const std::string set = record.name + ".safety", control = record.name + ".control";
  sink.write_static(set + ".layer", integers(layer),
                    {"layer of each safety-critical neuron", "index", rule_in_words(record), {"neuron"}});
  sink.write_static(set + ".neuron", integers(neuron),
                    {"safety-critical neurons: coordinate of the MLP's act(gate) * up, the input of down_proj",
                     "index",
                     rule_in_words(record),
                     {"neuron"}});
  const std::string drawn = "random neurons that were not selected, as many in each layer as were, seeded";
  sink.write_static(control + ".layer", to_array(record.controls.floor_divide(record.intermediate)),
                    {"layer of each control neuron", "index", drawn, {"draw", "neuron"}});
  sink.write_static(control + ".neuron", to_array(record.controls.remainder(record.intermediate)),
                    {"control neurons", "index", drawn, {"draw", "neuron"}});
}

}  // namespace

double split_half_stability(const at::Tensor& differences, const SelectionRule& rule) {
  const std::int64_t pairs = differences.size(0);
  const auto half = [&](std::int64_t first) { return select_neurons(differences.slice(0, first, pairs, 2), rule); };
  return jaccard(half(0), half(1));
}

void write_selection(const SelectionRecord& record, RecordSink& sink) {
  const std::string& name = record.name;
  write_sets(record, sink);
  sink.write_static(name + ".pair_difference", to_array(record.differences),
                    {"activation difference of each counterfactual pair in the base model",
                     "activation",
                     "f(request with the refusal instruction) - f(request), f the mean activation over the region",
                     {"pair", "layer", "neuron"}});
  sink.write_static(name + ".pair_id", record.pair_ids,
                    {"prompts that the pairs were made of", "", "id in the prompt set", {"pair"}});
  sink.write_static(name + ".per_layer", integers(count_per_layer(record.selected, record.differences.size(1))),
                    {"safety-critical neurons in each layer", "1", "number of selected neurons", {"layer"}});
  sink.write_static(
      name + ".votes_per_layer", scalar_array(static_cast<double>(record.votes_per_layer)),
      {"m_j: neurons of a layer that a pair votes for", "1", "max(1, round(top * intermediate size))", {}});
  sink.write_static(name + ".split_half", scalar_array(record.split_half),
                    {"stability of the selection",
                     "1",
                     "Jaccard of the sets selected from the even and from the odd pairs; NaN where both are empty",
                     {}});
}

void write_activations(const std::string& name, const at::Tensor& safety, const at::Tensor& control, RecordSink& sink) {
  const std::string definition = "mean over the harmful prompts of the mean activation over the region";
  sink.append(name + ".safety.activation", to_array(safety),
              {"activation of the safety-critical neurons on harmful requests", "activation", definition, {"neuron"}});
  sink.append(name + ".control.activation", to_array(control),
              {"activation of the control neurons on harmful requests", "activation", definition, {"draw", "neuron"}});
}

void write_overlap(const std::string& name, double overlap, RecordSink& sink) {
  sink.append(name + ".overlap", scalar_array(overlap),
              {"overlap of the neurons selected now with those selected in the base model",
               "1",
               "Jaccard index of the two sets under the same rule; NaN where both are empty",
               {}});
}

std::string selection_headline(const SelectionRecord& record) {
  if (record.selected.empty()) {
    return record.name + ": no neuron selected (" + std::to_string(record.votes_per_layer) +
           " votes a layer, agreement " + number(record.rule.agreement) + " of " +
           std::to_string(record.pair_ids.size()) + " pairs), RAS is undefined: raise 'top' or lower 'agreement'";
  }
  std::int64_t layers = 0;
  for (const std::int64_t count : count_per_layer(record.selected, record.differences.size(1))) layers += count > 0;
  return std::to_string(record.selected.size()) + " safety-critical neurons in " + std::to_string(layers) +
         " layers, split-half overlap " + number(record.split_half);
}

}  // namespace rim
