#include "monitors/builtin/neuron_selection.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <span>

#include "data/support/error.h"
#include "data/support/random.h"

namespace rim {
namespace {

// Adds one vote for each of the `count` largest values; `order` is scratch space.
void vote_for_largest(std::span<const float> values, std::int64_t count, std::vector<std::size_t>& order,
                      std::span<std::int64_t> votes) {
  order.resize(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto rank = [&](std::size_t i) {
    return std::isnan(values[i]) ? -std::numeric_limits<float>::infinity() : values[i];
  };
  const auto precedes = [&](std::size_t a, std::size_t b) {
    return rank(a) > rank(b) || (rank(a) == rank(b) && a < b);
  };
  const auto last = order.begin() + count;
  if (last != order.end()) std::ranges::nth_element(order, last, precedes);
  for (const std::size_t winner : std::span(order.begin(), last)) ++votes[winner];
}

// `count` distinct members of `candidates`, by the first steps of a Fisher-Yates shuffle.
std::vector<std::int64_t> pick_distinct(std::vector<std::int64_t> candidates, std::size_t count, Random& random) {
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(candidates[i], candidates[i + static_cast<std::size_t>(random.below(candidates.size() - i))]);
  }
  candidates.resize(count);
  std::ranges::sort(candidates);
  return candidates;
}

// Per layer, the neurons that are not in `selected`.
std::vector<std::vector<std::int64_t>> others_per_layer(const std::vector<NeuronIndex>& selected, std::int64_t layers,
                                                        std::int64_t intermediate) {
  std::vector<std::vector<std::int64_t>> others(static_cast<std::size_t>(layers));
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    for (std::int64_t neuron = 0; neuron < intermediate; ++neuron) {
      if (!std::ranges::binary_search(selected, NeuronIndex{.layer = layer, .neuron = neuron})) {
        others[static_cast<std::size_t>(layer)].push_back(neuron);
      }
    }
  }
  return others;
}

}  // namespace

std::int64_t votes_per_layer(double top, std::int64_t intermediate) {
  const auto count = static_cast<std::int64_t>(std::llround(top * static_cast<double>(intermediate)));
  return std::clamp<std::int64_t>(count, 1, intermediate);
}

std::vector<NeuronIndex> select_neurons(const at::Tensor& differences, const SelectionRule& rule) {
  const at::Tensor values = differences.to(at::kFloat).contiguous();
  const std::int64_t pairs = values.size(0), layers = values.size(1), intermediate = values.size(2);
  if (pairs == 0) return {};
  const auto width = static_cast<std::size_t>(intermediate);
  const std::int64_t count = votes_per_layer(rule.top, intermediate);
  std::vector<std::int64_t> votes(static_cast<std::size_t>(layers) * width, 0);
  std::vector<std::size_t> order;
  const float* row = values.const_data_ptr<float>();
  for (std::int64_t pair = 0; pair < pairs; ++pair) {
    for (std::size_t layer = 0; layer < static_cast<std::size_t>(layers); ++layer, row += intermediate) {
      vote_for_largest({row, width}, count, order, std::span(votes).subspan(layer * width, width));
    }
  }
  // The small term keeps 0.8 * 10 from needing 9 votes.
  const auto needed =
      std::max<std::int64_t>(1, std::llround(std::ceil(rule.agreement * static_cast<double>(pairs) - 1e-9)));
  std::vector<NeuronIndex> selected;
  for (std::int64_t i = 0; i < layers * intermediate; ++i) {
    if (votes[static_cast<std::size_t>(i)] >= needed) selected.push_back({i / intermediate, i % intermediate});
  }
  return selected;
}

std::vector<std::vector<NeuronIndex>> draw_controls(const std::vector<NeuronIndex>& selected, std::int64_t layers,
                                                    std::int64_t intermediate, std::int64_t draws, std::uint64_t seed) {
  const std::vector<std::int64_t> counts = count_per_layer(selected, layers);
  const auto others = others_per_layer(selected, layers, intermediate);
  std::vector<std::vector<NeuronIndex>> controls(static_cast<std::size_t>(draws));
  for (std::size_t draw = 0; draw < controls.size(); ++draw) {
    Random random(seed, draw);
    for (std::size_t layer = 0; layer < others.size(); ++layer) {
      const auto count = static_cast<std::size_t>(counts[layer]);
      if (count > others[layer].size()) {
        throw Error(ExitCode::config, "layer " + std::to_string(layer) + " has " + std::to_string(count) +
                                          " selected neurons and only " + std::to_string(others[layer].size()) +
                                          " others to draw controls from: lower 'top'");
      }
      for (const std::int64_t neuron : pick_distinct(others[layer], count, random)) {
        controls[draw].push_back({.layer = static_cast<std::int64_t>(layer), .neuron = neuron});
      }
    }
  }
  return controls;
}

double jaccard(const std::vector<NeuronIndex>& one, const std::vector<NeuronIndex>& other) {
  std::vector<NeuronIndex> common;
  std::ranges::set_intersection(one, other, std::back_inserter(common));
  const auto either = one.size() + other.size() - common.size();
  if (either == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(common.size()) / static_cast<double>(either);
}

std::vector<std::int64_t> count_per_layer(const std::vector<NeuronIndex>& neurons, std::int64_t layers) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(layers), 0);
  for (const NeuronIndex& index : neurons) ++counts[static_cast<std::size_t>(index.layer)];
  return counts;
}

at::Tensor flat_indices(const std::vector<NeuronIndex>& neurons, std::int64_t intermediate) {
  at::Tensor flat = at::empty({std::ssize(neurons)}, at::TensorOptions().dtype(at::kLong));
  auto* value = flat.mutable_data_ptr<std::int64_t>();
  for (const auto& [layer, neuron] : neurons) *value++ = layer * intermediate + neuron;
  return flat;
}

std::vector<NeuronIndex> from_flat_indices(const at::Tensor& flat, std::int64_t intermediate) {
  const at::Tensor values = flat.to(at::kLong).contiguous();
  const auto* first = values.const_data_ptr<std::int64_t>();
  std::vector<NeuronIndex> neurons;
  for (const std::int64_t value : std::span(first, static_cast<std::size_t>(values.numel()))) {
    neurons.push_back({.layer = value / intermediate, .neuron = value % intermediate});
  }
  return neurons;
}

}  // namespace rim
