#include "trainer/loop/weights_digest.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace {

using namespace rim;

class WeightsDigest : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  ~WeightsDigest() override { at::set_num_threads(threads_); }
  const int threads_ = at::get_num_threads();
};

// Large enough for libtorch to share the sum among threads.
TEST_P(WeightsDigest, IsTheSameForEveryNumberOfThreads) {
  const std::vector<NamedParameter> weights = {{"weight", at::randn({1000, 1003}).to(GetParam())}};
  at::set_num_threads(1);
  const std::string alone = weights_digest(weights);
  for (const int threads : {2, 3, 5}) {
    at::set_num_threads(threads);
    EXPECT_EQ(weights_digest(weights), alone) << threads << " threads";
  }
}

TEST_P(WeightsDigest, OneBitIsNoticed) {
  const at::Tensor weight = at::randn({7, 9}).to(GetParam());
  const std::string before = weights_digest({{"weight", weight}});
  weight.view(GetParam() == at::kFloat ? at::kInt : at::kShort)[3][4].bitwise_xor_(1);
  EXPECT_NE(weights_digest({{"weight", weight}}), before);
}

INSTANTIATE_TEST_SUITE_P(Dtypes, WeightsDigest, ::testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& dtype) { return at::toString(dtype.param); });

}  // namespace
