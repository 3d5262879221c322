#include "data/examples/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/support/error.h"

namespace rim {
namespace {

using testing::ElementsAre;

// Sample i: i % 7 + 2 tokens, all equal to i; all but the first trained.
std::vector<Sample> numbered_samples(std::size_t count) {
  std::vector<Sample> samples(count);
  for (std::size_t i = 0; i < count; ++i) {
    samples[i].tokens.assign(i % 7 + 2, static_cast<TokenId>(i));
    samples[i].trained.assign(i % 7 + 2, 1);
    samples[i].trained[0] = 0;
  }
  return samples;
}

LoaderOptions options(std::int64_t rows, std::int64_t accumulation, int world, int rank = 0, std::uint64_t seed = 1) {
  return {.rows_per_micro_batch = rows,
          .accumulation_steps = accumulation,
          .rank = rank,
          .world_size = world,
          .seed = seed,
          .padding_token = 999};
}

TEST(Loader, EpochsFollowEachOtherAndDropNothing) {
  const Loader loader(numbered_samples(10), {}, options(4, 1, 1));
  EXPECT_EQ(loader.identity().samples_per_epoch, 10);
  std::vector<int> drawn(10, 0);
  for (std::int64_t step = 0; step < 5; ++step) {  // 20 rows: two whole epochs
    for (const std::size_t index : loader.global_batch(step)) ++drawn[index];
  }
  EXPECT_THAT(drawn, testing::Each(2));
}

TEST(Loader, OrderIsAFunctionOfSeedAndStep) {
  const Loader one(numbered_samples(100), {}, options(8, 1, 1)), same(numbered_samples(100), {}, options(8, 1, 1));
  const Loader other(numbered_samples(100), {}, options(8, 1, 1, 0, 2));
  EXPECT_EQ(one.global_batch(17), same.global_batch(17));
  EXPECT_NE(one.global_batch(17), other.global_batch(17));
  EXPECT_NE(one.global_batch(0), one.global_batch(1));
}

TEST(Loader, StepsMayBeAskedForInAnyOrder) {
  const Loader forth(numbered_samples(10), {}, options(4, 1, 1)), back(numbered_samples(10), {}, options(4, 1, 1));
  std::vector<std::vector<std::size_t>> batches(12);
  for (std::int64_t step = 0; step < 12; ++step) batches[static_cast<std::size_t>(step)] = forth.global_batch(step);
  for (std::int64_t step = 11; step >= 0; --step) {
    EXPECT_EQ(back.global_batch(step), batches[static_cast<std::size_t>(step)]) << step;
  }
}

TEST(Loader, EpochsAreShuffledAnew) {
  const Loader loader(numbered_samples(64), {}, options(32, 1, 1));
  const auto set = [&](std::int64_t step) {
    const auto batch = loader.global_batch(step);
    return std::set<std::size_t>(batch.begin(), batch.end());
  };
  EXPECT_NE(set(0), set(2));
}

TEST(Loader, GlobalBatchIsTheSameForAnyRanksAndAccumulation) {
  const Loader reference(numbered_samples(50), {}, options(16, 1, 1));
  for (const auto& [rows, accumulation, world] : {std::tuple{16, 1, 1}, {8, 2, 1}, {4, 1, 4}, {2, 4, 2}, {1, 4, 4}}) {
    std::multiset<TokenId> seen;
    std::int64_t trained = 0;
    for (int rank = 0; rank < world; ++rank) {
      const Loader loader(numbered_samples(50), {}, options(rows, accumulation, world, rank));
      const StepBatch batch = loader.batch_for_step(3);
      EXPECT_EQ(loader.global_batch(3), reference.global_batch(3));
      EXPECT_EQ(batch.trained_tokens_all_ranks, reference.batch_for_step(3).trained_tokens_all_ranks);
      EXPECT_EQ(batch.tokens_all_ranks, reference.batch_for_step(3).tokens_all_ranks);
      ASSERT_EQ(std::ssize(batch.micro_batches), accumulation);
      for (const MicroBatch& micro : batch.micro_batches) {
        EXPECT_EQ(micro.rows, rows);
        trained += micro.trained_tokens;
        for (std::int64_t row = 0; row < micro.rows; ++row)
          seen.insert(micro.tokens[static_cast<std::size_t>(row * micro.length)]);
      }
    }
    const auto indices = reference.global_batch(3);
    EXPECT_EQ(seen, std::multiset<TokenId>(indices.begin(), indices.end()));
    EXPECT_EQ(trained, reference.batch_for_step(3).trained_tokens_all_ranks);
  }
}

TEST(Loader, TargetsAreTheFollowingTrainedTokens) {
  std::vector<Sample> samples(2);
  samples[0] = {.tokens = {1, 2, 3, 4}, .trained = {0, 0, 1, 1}, .origin = ""};
  samples[1] = {.tokens = {5, 6}, .trained = {0, 1}, .origin = ""};
  const StepBatch batch = Loader(samples, {}, options(2, 1, 1)).batch_for_step(0);
  const MicroBatch& micro = batch.micro_batches.at(0);
  constexpr auto kIgnore = MicroBatch::kIgnore;
  EXPECT_EQ(micro.rows, 2);
  EXPECT_EQ(micro.length, 4);
  EXPECT_THAT(micro.tokens, ElementsAre(5, 6, 999, 999, 1, 2, 3, 4));
  EXPECT_THAT(micro.targets, ElementsAre(6, kIgnore, kIgnore, kIgnore, kIgnore, 3, 4, kIgnore));
  EXPECT_EQ(micro.trained_tokens, 3);
  EXPECT_EQ(batch.trained_tokens_all_ranks, 3);
  EXPECT_EQ(batch.tokens_all_ranks, 6);
}

TEST(Loader, RowsOfLikeLengthShareAMicroBatch) {
  std::int64_t padded = 0, kept = 0;
  const Loader loader(numbered_samples(70), {}, options(5, 7, 1));
  for (const MicroBatch& micro : loader.batch_for_step(0).micro_batches) padded += micro.rows * micro.length;
  kept = loader.batch_for_step(0).tokens_all_ranks;
  EXPECT_LT(static_cast<double>(padded), 1.25 * static_cast<double>(kept));
}

TEST(Loader, WeightsCopyAndSubsample) {
  std::vector<double> weights(20, 1.0);
  weights[0] = 2.0;                                        // twice each epoch
  weights[1] = 0.0;                                        // never
  for (std::size_t i = 10; i < 20; ++i) weights[i] = 0.5;  // a half of these each epoch
  const Loader loader(numbered_samples(20), weights, options(1, 1, 1));
  ASSERT_EQ(loader.identity().samples_per_epoch, 2 + 8 + 5);
  std::set<std::set<std::size_t>> halves;
  for (std::int64_t epoch = 0; epoch < 4; ++epoch) {
    std::map<std::size_t, int> drawn;
    for (std::int64_t step = epoch * 15; step < (epoch + 1) * 15; ++step) ++drawn[loader.global_batch(step).at(0)];
    EXPECT_EQ(drawn[0], 2);
    EXPECT_EQ(drawn[1], 0);
    EXPECT_EQ(drawn[5], 1);
    std::set<std::size_t> half;
    for (std::size_t i = 10; i < 20; ++i) {
      if (drawn[i] == 1) half.insert(i);
    }
    EXPECT_EQ(half.size(), 5U);
    halves.insert(half);
  }
  EXPECT_GT(halves.size(), 1U);
}

TEST(Loader, AGlobalBatchMayHoldMoreThanAnEpoch) {
  const Loader loader(numbered_samples(3), {}, options(8, 1, 1));
  std::vector<int> drawn(3, 0);
  for (std::int64_t step = 0; step < 3; ++step) {
    for (const std::size_t index : loader.global_batch(step)) ++drawn[index];
  }
  EXPECT_THAT(drawn, testing::Each(8));
}

TEST(Loader, IdentityTellsWhatASampleOfAStepDependsOn) {
  const Loader loader(numbered_samples(10), {}, options(4, 1, 2));
  const LoaderIdentity identity = loader.identity();
  EXPECT_EQ(identity.global_batch, 8);
  EXPECT_EQ(identity.seed, 1U);
  EXPECT_EQ(identity.samples_per_epoch, 10);
  const auto digest = [](const std::vector<Sample>& samples, const std::vector<double>& weights) {
    return Loader(samples, weights, options(1, 2, 1, 0, 7)).identity().samples_sha256;
  };
  EXPECT_EQ(digest(numbered_samples(10), std::vector<double>(10, 1.0)), identity.samples_sha256);
  auto token = numbered_samples(10), mask = token, border = token;
  token[3].tokens[1] = 77;
  mask[3].trained[1] = 0;
  border[5].tokens.push_back(border[6].tokens.front());  // the same tokens in a row, cut elsewhere
  border[5].trained.push_back(border[6].trained.front());
  border[6].tokens.erase(border[6].tokens.begin());
  border[6].trained.erase(border[6].trained.begin());
  std::vector<double> weights(10, 1.0);
  weights[2] = 2.0;
  const std::set<std::string> digests{identity.samples_sha256, digest(token, {}), digest(mask, {}), digest(border, {}),
                                      digest(numbered_samples(10), weights)};
  EXPECT_EQ(digests.size(), 5U);
}

TEST(Loader, RefusesWhatCannotBeLoaded) {
  EXPECT_THROW(Loader({}, {}, options(1, 1, 1)), Error);
  EXPECT_THROW(Loader({Sample{}}, {}, options(1, 1, 1)), Error);
  EXPECT_THROW(Loader({Sample{.tokens = {1, 2}, .trained = {1}, .origin = ""}}, {}, options(1, 1, 1)), Error);
  EXPECT_THROW(Loader(numbered_samples(2), {0.0, 0.0}, options(1, 1, 1)), Error);
  EXPECT_THROW(Loader(numbered_samples(2), {1.0, -1.0}, options(1, 1, 1)), Error);
  EXPECT_THROW(Loader(numbered_samples(2), {1.0}, options(1, 1, 1)), Error);
  EXPECT_THROW(Loader(numbered_samples(2), {}, options(0, 1, 1)), Error);
  EXPECT_THROW(Loader(numbered_samples(2), {}, options(1, 0, 1)), Error);
  EXPECT_THROW(Loader(numbered_samples(2), {}, options(1, 1, 2, 2)), Error);
}

TEST(SamplesPerEpoch, WholeCopiesAndARoundedShareOfEachFraction) {
  EXPECT_EQ(count_samples_per_epoch({2.0, 1.0, 0.5, 0.5}), 4);
  EXPECT_THROW(count_samples_per_epoch({0.1, 0.1}), Error);  // rounds to none
  EXPECT_THROW(count_samples_per_epoch(std::vector<double>(2000, 1e6)), Error);
}

}  // namespace
}  // namespace rim
