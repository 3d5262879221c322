// NCCL on one rank, where there is a GPU. Sums over several ranks need several GPUs: the MPI tests hold the two
// communicators' common behaviour.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/alone.h"
#include "trainer/parallel/communicator.h"

namespace {

using namespace rim;
using ::testing::ElementsAre;

class NcclCommunicatorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string problem = nccl_problem(); !problem.empty()) GTEST_SKIP() << "no NCCL here: " << problem;
    communicator_ = make_nccl_communicator(std::make_unique<rim::testing::AloneCommunicator>(), 0, {});
  }
  const at::TensorOptions on_gpu_ = at::TensorOptions(at::Device(at::kCUDA, 0));
  std::unique_ptr<Communicator> communicator_;
};

TEST_F(NcclCommunicatorTest, SumsOfOneRankAreItsOwnValues) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kLong, at::kBFloat16}) {
    const at::Tensor before = at::arange(20, on_gpu_.dtype(type));
    at::Tensor tensor = before.clone();
    communicator_->all_reduce_sum(tensor, "sum");
    EXPECT_TRUE(at::equal(tensor, before)) << type;
  }
}

TEST_F(NcclCommunicatorTest, ReductionsComeAfterTheWorkBeforeThemAndOverlap) {
  at::Tensor first = at::zeros({1 << 20}, on_gpu_), second = at::zeros({7}, on_gpu_);
  first.add_(1.0);
  auto first_pending = communicator_->start_all_reduce_sum(first, "first");
  second.add_(2.0);
  auto second_pending = communicator_->start_all_reduce_sum(second.narrow(0, 1, 3), "second");
  second_pending->wait();
  first_pending->wait();
  EXPECT_TRUE(first_pending->poll());
  EXPECT_EQ(first.sum().item<double>(), 1 << 20);
  EXPECT_EQ(second.sum().item<double>(), 14.0);
}

TEST_F(NcclCommunicatorTest, WhatLiesOnTheHostGoesToTheHostsCommunicator) {
  at::Tensor tensor = at::ones({3});
  communicator_->all_reduce_sum(tensor, "host tensor");
  EXPECT_TRUE(at::equal(tensor, at::ones({3})));
  EXPECT_EQ(communicator_->sum(2.0, "scalar"), 2.0);
  EXPECT_THAT(communicator_->all_gather("text", "text"), ElementsAre("text"));
}

TEST_F(NcclCommunicatorTest, RefusesTypesItCannotSum) {
  EXPECT_THROW(communicator_->all_reduce_sum(at::zeros({2}, on_gpu_.dtype(at::kBool)), "flags"), Error);
}

}  // namespace
