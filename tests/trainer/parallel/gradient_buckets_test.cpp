// Buckets over a communicator that stands for two ranks with equal gradients and writes down what it is asked.
#include "trainer/parallel/gradient_buckets.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace rim;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TwinCommunicator : public Communicator {
 public:
  explicit TwinCommunicator(int size = 2) : size_(size) {}
  [[nodiscard]] int rank() const override { return 0; }
  [[nodiscard]] int size() const override { return size_; }
  std::unique_ptr<PendingReduction> start_all_reduce_sum(at::Tensor tensor, const std::string& name) override {
    started.push_back(name);
    return std::make_unique<Doubling>(std::move(tensor), *this);
  }
  double sum(double value, const std::string&) override { return value * size_; }
  double maximum(double value, const std::string&) override { return value; }
  std::vector<std::string> all_gather(const std::string& value, const std::string&) override { return {value, value}; }

  std::vector<std::string> started;
  int polls = 0;

 private:
  struct Doubling : PendingReduction {
    Doubling(at::Tensor tensor, TwinCommunicator& owner) : tensor_(std::move(tensor)), owner_(owner) {}
    bool poll() override {
      ++owner_.polls;
      return true;
    }
    void wait() override { tensor_.mul_(owner_.size_); }
    at::Tensor tensor_;
    TwinCommunicator& owner_;
  };
  int size_;
};

// y = (x * first) * second + 0 * nothing; backward reaches second before first, and never `unused`.
struct Network {
  explicit Network(at::ScalarType dtype) {
    for (const char* name : {"first", "second", "unused"}) {
      const at::Tensor tensor = at::full({20}, 2.0, at::TensorOptions(dtype));
      tensor.set_requires_grad(true);
      parameters.push_back({name, tensor});
    }
  }
  void backward(double x) const { (parameters[0].tensor * x * parameters[1].tensor).sum().backward(); }
  std::vector<NamedParameter> parameters;
};

constexpr std::int64_t kOneParameterPerBucket = 32 * sizeof(float);

class GradientBucketsTest : public ::testing::TestWithParam<at::ScalarType> {};

TEST_P(GradientBucketsTest, AccumulatesMicroBatchesAndSumsOverRanks) {
  const Network network(GetParam());
  TwinCommunicator communicator;
  GradientBuckets buckets(network.parameters, communicator, kOneParameterPerBucket);
  for (int step = 0; step < 2; ++step) {  // the second starts from zero again
    buckets.zero();
    network.backward(1.0);
    buckets.reduce_during_backward();
    network.backward(3.0);
    buckets.finish();
    // (1 + 3) * 2 from both micro-batches, twice for two ranks.
    EXPECT_TRUE(at::equal(buckets.gradients()[0], at::full({20}, 16.0)));
    EXPECT_TRUE(at::equal(buckets.gradients()[1], at::full({20}, 16.0)));
    EXPECT_TRUE(at::equal(buckets.gradients()[2], at::zeros({20})));
  }
}

INSTANTIATE_TEST_SUITE_P(Dtypes, GradientBucketsTest, ::testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& dtype) { return at::toString(dtype.param); });

TEST(GradientBuckets, SliceIsTheParametersOwnGradientInFp32) {
  const Network network(at::kFloat);
  TwinCommunicator communicator;
  const GradientBuckets buckets(network.parameters, communicator);
  network.backward(1.0);
  EXPECT_EQ(network.parameters[0].tensor.grad().data_ptr(), buckets.gradients()[0].data_ptr());
}

TEST(GradientBuckets, Bfloat16GradientsAreAddedInFp32) {
  const Network network(at::kBFloat16);
  TwinCommunicator communicator(1);
  GradientBuckets buckets(network.parameters, communicator);
  buckets.zero();
  network.backward(128.0);                             // 256
  for (int i = 0; i < 4; ++i) network.backward(0.25);  // 4 * 0.5, lost one by one in bf16
  buckets.finish();
  EXPECT_TRUE(at::equal(buckets.gradients()[0], at::full({20}, 258.0)));
  EXPECT_FALSE(network.parameters[0].tensor.grad().defined());
}

TEST(GradientBuckets, FullBucketsStartDuringBackwardInReverseOrder) {
  Network network(at::kFloat);
  network.parameters.pop_back();  // `unused` would hold the first bucket back
  TwinCommunicator communicator;
  GradientBuckets buckets(network.parameters, communicator, kOneParameterPerBucket);
  buckets.zero();
  network.backward(1.0);
  EXPECT_THAT(communicator.started, IsEmpty());
  buckets.reduce_during_backward();
  network.backward(1.0);
  EXPECT_THAT(communicator.started, ElementsAre("gradient bucket 0", "gradient bucket 1"));
  EXPECT_EQ(communicator.polls, 2) << "a reduction that is complete needs no more polling";
  buckets.finish();
  EXPECT_THAT(communicator.started, ElementsAre("gradient bucket 0", "gradient bucket 1"));
}

TEST(GradientBuckets, BucketsStartInOneOrderEvenIfAnEarlierOneIsLate) {
  const Network network(at::kFloat);  // bucket 0 holds `unused`, which never arrives
  TwinCommunicator communicator;
  GradientBuckets buckets(network.parameters, communicator, kOneParameterPerBucket);
  buckets.zero();
  buckets.reduce_during_backward();
  network.backward(1.0);
  EXPECT_THAT(communicator.started, IsEmpty());
  buckets.finish();
  EXPECT_THAT(communicator.started, ElementsAre("gradient bucket 0", "gradient bucket 1", "gradient bucket 2"));
}

TEST(GradientBuckets, SmallParametersShareABucket) {
  const Network network(at::kFloat);
  TwinCommunicator communicator;
  GradientBuckets buckets(network.parameters, communicator);
  buckets.zero();
  buckets.finish();
  EXPECT_EQ(communicator.started.size(), 1U);
}

TEST(GradientBuckets, AGradientThatArrivesTwiceIsAnError) {
  const Network network(at::kFloat);
  TwinCommunicator communicator;
  GradientBuckets buckets(network.parameters, communicator, kOneParameterPerBucket);
  buckets.zero();
  buckets.reduce_during_backward();
  network.backward(1.0);
  try {
    network.backward(1.0);
    FAIL() << "the second backward pass came too late";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::software);
    EXPECT_THAT(error.what(), HasSubstr("arrived twice"));
  }
}

TEST(GradientBuckets, OneRankReducesNothing) {
  const Network network(at::kFloat);
  TwinCommunicator communicator(1);
  GradientBuckets buckets(network.parameters, communicator);
  buckets.zero();
  buckets.reduce_during_backward();
  network.backward(1.0);
  buckets.finish();
  EXPECT_THAT(communicator.started, IsEmpty());
  EXPECT_TRUE(at::equal(buckets.gradients()[0], at::full({20}, 2.0)));
}

TEST(GradientBuckets, LeaveTheParametersAsTheyWere) {
  const Network network(at::kFloat);
  TwinCommunicator communicator;
  { const GradientBuckets buckets(network.parameters, communicator); }
  EXPECT_FALSE(network.parameters[0].tensor.grad().defined());
  network.backward(1.0);
  EXPECT_THAT(communicator.started, IsEmpty());
  EXPECT_TRUE(at::equal(network.parameters[0].tensor.grad(), at::full({20}, 2.0)));
}

}  // namespace
