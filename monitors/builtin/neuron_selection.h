// Which MLP neurons a refusal depends on, by counterfactual pairs (arXiv 2509.00544): pure functions on activations.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "monitors/core/probe.h"

namespace rim {

struct SelectionRule {
  double top = 0.01;       // share of a layer's neurons that a pair votes for
  double agreement = 1.0;  // share of the pairs that must vote for a neuron; 1: the paper's intersection
};

// m_j = max(1, round(top * intermediate)), the same in every layer.
std::int64_t votes_per_layer(double top, std::int64_t intermediate);

// `differences`: fp32 [pairs, layers, intermediate], f(counterfactual) - f(original), signed. Each pair votes for the
// m_j largest of each layer (of equals, the lower index); a neuron with at least ceil(agreement * pairs) votes is
// selected. NaN counts as the smallest. Ascending by layer and neuron; empty for no pairs.
std::vector<NeuronIndex> select_neurons(const at::Tensor& differences, const SelectionRule& rule);

// `draws` random sets with as many neurons in each layer as `selected` has there, and none of those. Reproducible from
// `seed`; each ascending. Throws Error(config) where a layer has too few others.
std::vector<std::vector<NeuronIndex>> draw_controls(const std::vector<NeuronIndex>& selected, std::int64_t layers,
                                                    std::int64_t intermediate, std::int64_t draws, std::uint64_t seed);

// |one and other| / |one or other| of ascending sets; NaN where both are empty.
double jaccard(const std::vector<NeuronIndex>& one, const std::vector<NeuronIndex>& other);

std::vector<std::int64_t> count_per_layer(const std::vector<NeuronIndex>& neurons, std::int64_t layers);

// int64 [neurons]: layer * intermediate + neuron, and back.
at::Tensor flat_indices(const std::vector<NeuronIndex>& neurons, std::int64_t intermediate);
std::vector<NeuronIndex> from_flat_indices(const at::Tensor& flat, std::int64_t intermediate);

}  // namespace rim
