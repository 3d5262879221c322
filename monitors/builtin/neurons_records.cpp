#include "monitors/builtin/neurons_records.h"

#include "monitors/builtin/headline_prefix.h"
#include "monitors/builtin/three_digits.h"
#include "monitors/core/arrays.h"

namespace rim {
namespace {

std::string rule_in_words(const NeuronSets& sets) {
  return "In each layer a pair votes for its " + std::to_string(votes_per_layer(sets.rule.top, sets.intermediate)) +
         " neurons with the largest signed difference; selected: at least a share of " +
         three_digits(sets.rule.agreement) + " of the " + std::to_string(sets.pair_ids.size()) +
         " pairs voted for it (1: the intersection of arXiv 2509.00544).";
}

Array integers(const std::vector<std::int64_t>& values) { return {.shape = {std::ssize(values)}, .values = values}; }

void write_safety_set(const NeuronSets& sets, RecordSink& sink) {
  std::vector<std::int64_t> layer, neuron;
  for (const NeuronIndex& index : sets.selected) {
    layer.push_back(index.layer);
    neuron.push_back(index.neuron);
  }
  const std::string set = sets.name + ".safety";
  sink.write_static(set + ".layer", integers(layer),
                    {"layer of each safety-critical neuron", "index", rule_in_words(sets), {"neuron"}});
  sink.write_static(set + ".neuron", integers(neuron),
                    {"safety-critical neurons: coordinate of the MLP's act(gate) * up, the input of down_proj",
                     "index",
                     rule_in_words(sets),
                     {"neuron"}});
}

void write_control_sets(const NeuronSets& sets, RecordSink& sink) {
  const std::string control = sets.name + ".control";
  const std::string drawn = "random neurons that were not selected, as many in each layer as were, seeded";
  sink.write_static(control + ".layer", to_array(sets.controls.floor_divide(sets.intermediate)),
                    {"layer of each control neuron", "index", drawn, {"draw", "neuron"}});
  sink.write_static(control + ".neuron", to_array(sets.controls.remainder(sets.intermediate)),
                    {"control neurons", "index", drawn, {"draw", "neuron"}});
}

}  // namespace

double split_half_stability(const at::Tensor& differences, const SelectionRule& rule) {
  const std::int64_t pairs = differences.size(0);
  const auto half = [&](std::int64_t first) { return select_neurons(differences.slice(0, first, pairs, 2), rule); };
  return jaccard(half(0), half(1));
}

void write_sets(const NeuronSets& sets, RecordSink& sink) {
  write_safety_set(sets, sink);
  write_control_sets(sets, sink);
  sink.write_static(sets.name + ".pair_id", sets.pair_ids,
                    {"prompts that the pairs were made of", "", "id in the prompt set", {"pair"}});
  sink.write_static(sets.name + ".per_layer", integers(count_per_layer(sets.selected, sets.layers)),
                    {"safety-critical neurons in each layer", "1", "number of selected neurons", {"layer"}});
  sink.write_static(
      sets.name + ".votes_per_layer",
      scalar_array(static_cast<double>(votes_per_layer(sets.rule.top, sets.intermediate))),
      {"m_j: neurons of a layer that a pair votes for", "1", "max(1, round(top * intermediate size))", {}});
}

void write_pair_differences(const NeuronSets& sets, const at::Tensor& differences, double split_half,
                            RecordSink& sink) {
  const std::string& name = sets.name;
  sink.write_static(name + ".pair_difference", to_array(differences),
                    {"activation difference of each counterfactual pair in the base model",
                     "activation",
                     "f(request followed by one space and '" + sets.instruction +
                         "') - f(request), f the mean activation over the region; " + sets.measured,
                     {"pair", "layer", "neuron"}});
  sink.write_static(name + ".split_half", scalar_array(split_half),
                    {"stability of the selection",
                     "1",
                     "Jaccard of the sets selected from the even and from the odd pairs; NaN where both are empty",
                     {}});
}

void write_activations(const NeuronSets& sets, const at::Tensor& safety, const at::Tensor& control, RecordSink& sink) {
  const std::string& name = sets.name;
  const std::string definition =
      "mean over the harmful prompts of the mean activation over the region's tokens; " + sets.measured;
  sink.append(name + ".safety.activation", to_array(safety),
              {"activation of the safety-critical neurons on harmful requests",
               "activation",
               definition,
               {"neuron"},
               {{"null", name + ".control.activation"}}});
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

std::string selection_headline(const NeuronSets& sets, double split_half) {
  if (sets.selected.empty()) {
    return sets.name + ": no neuron selected (" + std::to_string(votes_per_layer(sets.rule.top, sets.intermediate)) +
           " votes a layer, agreement " + three_digits(sets.rule.agreement) + " of " +
           std::to_string(sets.pair_ids.size()) + " pairs), RAS is undefined: raise 'top' or lower 'agreement'";
  }
  std::int64_t layers = 0;
  for (const std::int64_t count : count_per_layer(sets.selected, sets.layers)) layers += count > 0;
  return headline_prefix(sets.name, "neurons") + std::to_string(sets.selected.size()) + " safety-critical neurons in " +
         std::to_string(layers) + " layers, split-half overlap " + three_digits(split_half);
}

}  // namespace rim
