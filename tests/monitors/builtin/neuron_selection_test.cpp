#include "monitors/builtin/neuron_selection.h"

#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "data/support/error.h"

namespace rim {
namespace {

using testing::ElementsAre;

// [pairs, layers, intermediate]
at::Tensor differences(std::vector<float> values, std::int64_t pairs, std::int64_t layers, std::int64_t intermediate) {
  return at::tensor(values).view({pairs, layers, intermediate});
}

TEST(Selection, KeepsWhatEveryPairVotesFor) {
  // Two layers of four neurons, two votes each. Layer 0: pair 0 votes {1, 3}, pair 1 votes {1, 2}. Layer 1: {0, 1}, {2,
  // 3}.
  const at::Tensor values = differences({0, 5, 1, 4, 9, 8, 0, 0,  //
                                         0, 5, 4, 1, 0, 0, 8, 9},
                                        2, 2, 4);
  EXPECT_THAT(select_neurons(values, {.top = 0.5, .agreement = 1.0}), ElementsAre(NeuronIndex{0, 1}));
}

TEST(Selection, IsSigned) {
  // The largest change in size is the fall of neuron 0: it must not be chosen.
  const at::Tensor values = differences({-9, 1, 0, 0}, 1, 1, 4);
  EXPECT_THAT(select_neurons(values, {.top = 0.25, .agreement = 1.0}), ElementsAre(NeuronIndex{0, 1}));
}

TEST(Selection, AgreementLowersTheNumberOfVotesNeeded) {
  // Neuron 0 has 3 votes of 4, neuron 1 one.
  const at::Tensor values = differences({2, 1, 2, 1, 2, 1, 1, 2}, 4, 1, 2);
  const double top = 0.5;
  EXPECT_THAT(select_neurons(values, {.top = top, .agreement = 1.0}), ElementsAre());
  EXPECT_THAT(select_neurons(values, {.top = top, .agreement = 0.76}), ElementsAre());
  EXPECT_THAT(select_neurons(values, {.top = top, .agreement = 0.75}), ElementsAre(NeuronIndex{0, 0}));
  EXPECT_THAT(select_neurons(values, {.top = top, .agreement = 0.25}),
              ElementsAre(NeuronIndex{0, 0}, NeuronIndex{0, 1}));
}

TEST(Selection, BreaksTiesByIndexAndRanksNaNLast) {
  EXPECT_THAT(select_neurons(differences({1, 1, 1, 1}, 1, 1, 4), {.top = 0.5, .agreement = 1.0}),
              ElementsAre(NeuronIndex{0, 0}, NeuronIndex{0, 1}));
  const float nan = std::nanf("");
  EXPECT_THAT(select_neurons(differences({nan, -3, nan, -2}, 1, 1, 4), {.top = 0.5, .agreement = 1.0}),
              ElementsAre(NeuronIndex{0, 1}, NeuronIndex{0, 3}));
}

TEST(Selection, VotesAreARoundedShareAndAtLeastOne) {
  EXPECT_EQ(votes_per_layer(0.01, 9728), 97);
  EXPECT_EQ(votes_per_layer(0.01, 50), 1);
  EXPECT_EQ(votes_per_layer(0.01, 150), 2);  // 1.5 rounds up
  EXPECT_EQ(votes_per_layer(0.0, 8), 1);
}

TEST(Controls, MatchCountsPerLayerAndAvoidTheSelected) {
  const std::vector<NeuronIndex> selected{{0, 3}, {2, 0}, {2, 1}, {2, 5}};
  const auto draws = draw_controls(selected, 3, 8, 50, 7);
  ASSERT_EQ(draws.size(), 50U);
  std::set<std::vector<NeuronIndex>> distinct;
  for (const auto& draw : draws) {
    EXPECT_THAT(count_per_layer(draw, 3), ElementsAre(1, 0, 3));
    EXPECT_TRUE(std::ranges::is_sorted(draw));
    EXPECT_EQ(std::set(draw.begin(), draw.end()).size(), draw.size()) << "a neuron was drawn twice";
    EXPECT_EQ(jaccard(draw, selected), 0.0);
    distinct.insert(draw);
  }
  EXPECT_GT(distinct.size(), 30U);  // of 7 * C(5, 3) = 70 possible ones
  EXPECT_EQ(draw_controls(selected, 3, 8, 50, 7), draws);
  EXPECT_NE(draw_controls(selected, 3, 8, 50, 8), draws);
}

TEST(Controls, DrawEachOtherNeuronEquallyOften) {
  const std::vector<NeuronIndex> selected{{0, 0}, {0, 1}};
  std::vector<int> drawn(6, 0);
  for (const auto& draw : draw_controls(selected, 1, 6, 6000, 1)) {
    for (const NeuronIndex& index : draw) ++drawn[static_cast<std::size_t>(index.neuron)];
  }
  EXPECT_EQ(drawn[0] + drawn[1], 0);
  // 3000 expected, standard deviation 39.
  for (std::size_t neuron = 2; neuron < 6; ++neuron) EXPECT_NEAR(drawn[neuron], 3000, 200);
}

TEST(Controls, RefuseALayerWithTooFewOthers) {
  const std::vector<NeuronIndex> selected{{1, 0}, {1, 1}, {1, 2}};
  try {
    static_cast<void>(draw_controls(selected, 2, 4, 20, 1));
    FAIL() << "drew three of one";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_THAT(error.what(), testing::HasSubstr("layer 1 has 3 selected neurons and only 1 others"));
  }
}

TEST(Jaccard, OfSets) {
  EXPECT_DOUBLE_EQ(jaccard({{0, 1}, {0, 2}, {1, 0}}, {{0, 2}, {1, 0}, {1, 1}}), 0.5);
  EXPECT_DOUBLE_EQ(jaccard({{0, 1}}, {}), 0.0);
  EXPECT_TRUE(std::isnan(jaccard({}, {})));
}

TEST(FlatIndices, ComeBack) {
  const std::vector<NeuronIndex> neurons{{0, 0}, {0, 6}, {3, 2}};
  const at::Tensor flat = flat_indices(neurons, 7);
  EXPECT_EQ(flat[2].item<std::int64_t>(), 23);
  EXPECT_EQ(from_flat_indices(flat, 7), neurons);
  EXPECT_EQ(flat_indices({}, 7).numel(), 0);
}

}  // namespace
}  // namespace rim
