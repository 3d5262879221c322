#include "trainer/model/cross_entropy.h"

#include <ATen/core/grad_mode.h>

#include "tests/trainer/model/model_test_support.h"

namespace rim {
namespace {

using testing::HasSubstr;

struct Problem {
  at::Tensor hidden, head, targets;
};

// Long enough for several chunks.
Problem random_problem(at::ScalarType dtype = at::kFloat, std::int64_t positions = 2500,
                       std::int64_t vocabulary = 1000) {
  at::manual_seed(3);
  Problem problem{at::randn({positions, 16}).to(dtype), (at::randn({vocabulary, 16}) * 0.5).to(dtype),
                  at::randint(vocabulary, {positions}, at::kLong)};
  problem.targets.masked_fill_(at::rand({positions}) < 0.4, kIgnoredTarget);
  return problem;
}

at::Tensor plain_loss(const Problem& problem) {
  const at::Tensor logits = at::matmul(problem.hidden, problem.head.t()).to(at::kFloat);
  return at::cross_entropy_loss(logits, problem.targets, {}, at::Reduction::Sum, kIgnoredTarget);
}

TEST(CrossEntropy, ChunksAreTallEnoughForLargeVocabulariesAndSmallOnesFillThem) {
  EXPECT_EQ(cross_entropy_chunk_rows(151936), 512);
  EXPECT_EQ(cross_entropy_chunk_rows(1000), 1048);
  EXPECT_GT(random_problem().targets.ne(kIgnoredTarget).sum().item<std::int64_t>(), cross_entropy_chunk_rows(1000));
}

TEST(CrossEntropy, EqualsThePlainLossWithoutGradients) {
  const Problem problem = random_problem();
  EXPECT_LT(relative_difference(cross_entropy_sum(problem.hidden, problem.head, problem.targets), plain_loss(problem)),
            1e-6);
}

class CrossEntropyGradients : public testing::TestWithParam<std::tuple<std::tuple<bool, bool, at::ScalarType>, int>> {};

TEST_P(CrossEntropyGradients, EqualPlainOnes) {
  const auto [track_hidden, track_head, dtype] = std::get<0>(GetParam());
  const ThreadCount threads(std::get<1>(GetParam()));
  Problem ours = random_problem(dtype);
  ours.hidden.set_requires_grad(track_hidden);
  ours.head.set_requires_grad(track_head);
  Problem theirs{ours.hidden.detach().to(at::kFloat).set_requires_grad(track_hidden),
                 ours.head.detach().to(at::kFloat).set_requires_grad(track_head), ours.targets};
  const double tolerance = dtype == at::kFloat ? 1e-5 : 2e-2;
  const at::Tensor loss = cross_entropy_sum(ours.hidden, ours.head, ours.targets);
  EXPECT_EQ(loss.scalar_type(), at::kFloat);
  (loss * 0.37).backward();
  (plain_loss(theirs) * 0.37).backward();
  EXPECT_EQ(ours.hidden.grad().defined(), track_hidden);
  EXPECT_EQ(ours.head.grad().defined(), track_head);
  if (track_hidden) {
    EXPECT_EQ(ours.hidden.grad().scalar_type(), dtype);
    EXPECT_LT(relative_difference(ours.hidden.grad(), theirs.hidden.grad()), tolerance);
  }
  if (track_head) {
    EXPECT_LT(relative_difference(ours.head.grad(), theirs.head.grad()), tolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, CrossEntropyGradients,
    testing::Combine(testing::Values(std::tuple(true, true, at::kFloat), std::tuple(true, false, at::kFloat),
                                     std::tuple(false, true, at::kFloat), std::tuple(true, true, at::kBFloat16)),
                     thread_counts()));

TEST(CrossEntropy, NoGradientsAreRecordedUnderTheGuard) {
  Problem problem = random_problem();
  problem.hidden.set_requires_grad(true);
  const at::NoGradGuard guard;
  EXPECT_FALSE(cross_entropy_sum(problem.hidden, problem.head, problem.targets).requires_grad());
}

TEST(CrossEntropy, IgnoredPositionsGetNoGradientAndMayHoldAnything) {
  Problem problem = random_problem();
  const at::Tensor ignored = problem.targets == kIgnoredTarget;
  problem.hidden.masked_fill_(ignored.unsqueeze(-1), std::numeric_limits<double>::quiet_NaN());
  problem.hidden.set_requires_grad(true);
  problem.head.set_requires_grad(true);
  cross_entropy_sum(problem.hidden, problem.head, problem.targets).backward();
  EXPECT_TRUE(problem.head.grad().isfinite().all().item<bool>());
  EXPECT_EQ(problem.hidden.grad().index({ignored}).abs().sum().item<double>(), 0.0);
}

TEST(CrossEntropy, NothingToTrainIsZero) {
  Problem problem = random_problem(at::kFloat, 10, 7);
  problem.targets.fill_(kIgnoredTarget);
  problem.hidden.set_requires_grad(true);
  const at::Tensor loss = cross_entropy_sum(problem.hidden, problem.head, problem.targets);
  loss.backward();
  EXPECT_EQ(loss.item<double>(), 0.0);
  EXPECT_EQ(problem.hidden.grad().abs().sum().item<double>(), 0.0);
}

TEST(CrossEntropy, LargeLogitsDoNotOverflow) {
  Problem problem = random_problem(at::kFloat, 20, 11);
  problem.hidden.mul_(1e3);
  EXPECT_LT(relative_difference(cross_entropy_sum(problem.hidden, problem.head, problem.targets), plain_loss(problem)),
            1e-6);
}

TEST(CrossEntropy, RefusesTargetsOutsideTheVocabulary) {
  for (const std::int64_t wrong : {std::int64_t{7}, std::int64_t{-1}}) {
    Problem problem = random_problem(at::kFloat, 10, 7);
    problem.targets[4] = wrong;
    EXPECT_THAT(error_of([&] { cross_entropy_sum(problem.hidden, problem.head, problem.targets); }),
                HasSubstr("vocabulary of 7"));
  }
}

}  // namespace
}  // namespace rim
