// The MPI communicator on 1, 2 and 4 ranks. Every test is collective.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "trainer/parallel/communicator.h"

namespace {

using rim::Communicator;
using rim::CommunicatorOptions;
using rim::Error;
using rim::ExitCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class MpiCommunicatorTest : public ::testing::Test {
 protected:
  // 7 elements a piece, so that small tensors already travel in several.
  std::unique_ptr<Communicator> communicator_ = rim::make_mpi_communicator({std::chrono::seconds(60), 7});
  const int rank_ = communicator_->rank();
  const int size_ = communicator_->size();
  // Gives up after half a second, but on rank 0, which is the one that is late below.
  std::unique_ptr<Communicator> make_impatient() {
    communicator_->sum(0, "meet, so that the start itself is in time");
    return rim::make_mpi_communicator({rank_ == 0 ? std::chrono::milliseconds(60'000) : kPatience});
  }
  static constexpr std::chrono::milliseconds kPatience{500};
  // 1 + 2 + ... + size
  const double total_ = size_ * (size_ + 1) / 2.0;
};

TEST_F(MpiCommunicatorTest, SumsEachTypeOverRanksInPieces) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kLong, at::kBFloat16}) {
    const at::Tensor mine = at::arange(20, type) * (rank_ + 1);
    at::Tensor tensor = mine.clone();
    communicator_->all_reduce_sum(tensor, "sum");
    EXPECT_TRUE(at::equal(tensor.to(at::kDouble), at::arange(20, at::kDouble) * total_)) << tensor;
  }
}

TEST_F(MpiCommunicatorTest, Bfloat16IsRoundedOnceAfterSummingInFp32) {
  // 256 + 1 rounds back to 256 in bf16, so adding ones one after the other would be lost.
  at::Tensor tensor = at::full({3}, rank_ == 0 ? 256.0 : 1.0, at::kBFloat16);
  communicator_->all_reduce_sum(tensor, "sum");
  const at::Tensor expected = at::full({3}, 256.0 + (size_ - 1)).to(at::kBFloat16);
  EXPECT_TRUE(at::equal(tensor, expected)) << tensor;
}

TEST_F(MpiCommunicatorTest, SumsStridedTensorsInPlace) {
  at::Tensor matrix = at::zeros({4, 5});
  communicator_->all_reduce_sum(matrix.t().select(0, 2).fill_(rank_ + 1), "column");
  EXPECT_DOUBLE_EQ(matrix.sum().item<double>(), 4 * total_);
  EXPECT_DOUBLE_EQ(matrix.select(1, 2).sum().item<double>(), 4 * total_);
}

TEST_F(MpiCommunicatorTest, RefusesTypesItCannotSum) {
  if (size_ == 1) GTEST_SKIP() << "one rank sums nothing";
  EXPECT_THROW(communicator_->all_reduce_sum(at::zeros({2}, at::kBool), "flags"), Error);
}

TEST_F(MpiCommunicatorTest, ReductionsOverlapAndCompleteOutOfOrder) {
  at::Tensor first = at::full({50}, 1.0), second = at::full({3}, 2.0);
  auto first_pending = communicator_->start_all_reduce_sum(first, "first");
  auto second_pending = communicator_->start_all_reduce_sum(second, "second");
  first_pending->poll();
  second_pending->wait();
  first_pending->wait();
  EXPECT_DOUBLE_EQ(first.sum().item<double>(), 50.0 * size_);
  EXPECT_DOUBLE_EQ(second.sum().item<double>(), 6.0 * size_);
}

TEST_F(MpiCommunicatorTest, ReducesScalars) {
  EXPECT_DOUBLE_EQ(communicator_->sum(rank_ + 1, "sum"), total_);
  EXPECT_DOUBLE_EQ(communicator_->maximum(-rank_, "maximum"), 0.0);
  EXPECT_DOUBLE_EQ(communicator_->maximum(rank_, "maximum"), size_ - 1.0);
}

TEST_F(MpiCommunicatorTest, GathersStringsOfDifferentLengths) {
  // Rank 0's is empty; zero bytes survive.
  const auto text_of = [](int rank) { return std::string(static_cast<std::size_t>(rank * 5), '\0'); };
  const auto all = communicator_->all_gather(text_of(rank_), "gather");
  ASSERT_EQ(all.size(), static_cast<std::size_t>(size_));
  for (int rank = 0; rank < size_; ++rank) EXPECT_EQ(all[static_cast<std::size_t>(rank)], text_of(rank));
}

TEST_F(MpiCommunicatorTest, AgreesOnTheLowestFailingRanksError) {
  communicator_->agree(std::nullopt, "all is well");
  std::optional<Error> mine;
  if (rank_ == size_ - 1) mine = Error(ExitCode::input_output, "disk full");
  try {
    communicator_->agree(mine, "save");
    FAIL() << "agree() must throw on every rank";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input_output);
    if (size_ == 1) {
      EXPECT_STREQ(error.what(), "disk full");
    } else {
      const std::string head = "rank " + std::to_string(size_ - 1) + " of " + std::to_string(size_) + " (";
      EXPECT_THAT(error.what(), AllOf(StartsWith(head), HasSubstr("): disk full")));
    }
  }
}

TEST_F(MpiCommunicatorTest, TogetherTurnsForeignExceptionsIntoErrorsEverywhere) {
  const auto work = [&] {
    if (rank_ == 0) throw std::runtime_error("foreign");
  };
  try {
    communicator_->together("work", work);
    FAIL() << "together() must throw on every rank";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::software);
    EXPECT_THAT(error.what(), HasSubstr("foreign"));
  }
}

TEST_F(MpiCommunicatorTest, TimeLimitNamesRankAndWait) {
  if (size_ == 1) GTEST_SKIP() << "one rank waits for nobody";
  const auto impatient = make_impatient();
  at::Tensor tensor = at::ones({4});
  if (rank_ != 0) {
    auto pending = impatient->start_all_reduce_sum(tensor, "step 7, bucket 0");
    try {
      pending->wait();
      FAIL() << "rank 0 has not taken part yet";
    } catch (const Error& error) {
      const std::string head = "rank " + std::to_string(rank_) + " of " + std::to_string(size_) + " waited 0.5 s";
      EXPECT_THAT(error.what(), AllOf(StartsWith(head), HasSubstr("'step 7, bucket 0'")));
    }
    communicator_->sum(0, "rank 0 may go on");
    pending->wait();  // still under way: the time limit does not break it
  } else {
    communicator_->sum(0, "rank 0 may go on");
    impatient->all_reduce_sum(tensor, "step 7, bucket 0");
  }
  EXPECT_DOUBLE_EQ(tensor.sum().item<double>(), 4.0 * size_);
}

TEST_F(MpiCommunicatorTest, TheStartHasATimeLimitToo) {
  if (size_ == 1) GTEST_SKIP() << "one rank waits for nobody";
  if (rank_ != 0) {
    try {
      rim::make_mpi_communicator({kPatience});
      ADD_FAILURE() << "rank 0 has not started yet";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("waited 0.5 s in 'all ranks meet at the start'"));
    }
  }
  communicator_->sum(0, "rank 0 may go on");
  if (rank_ == 0) rim::make_mpi_communicator({std::chrono::seconds(60)}).release();  // freeing is collective
  communicator_->sum(0, "rank 0 has started");
}

// Runs `work` some way down the stack, so that its locals lie where stack_stays_untouched() looks.
template <typename Work>
[[gnu::noinline]] void deeper_in_the_stack(const Work& work) {
  std::array<volatile unsigned char, 1 << 12> padding;
  padding.front() = 0;
  work();
  padding.back() = padding.front();
}

// Fills the stack where the locals of the call before lay, and looks whether anybody writes there while `work` runs.
template <typename Work>
[[gnu::noinline]] bool stack_stays_untouched(const Work& work) {
  std::array<volatile unsigned char, 1 << 14> stack;
  for (auto& byte : stack) byte = 0xa5;
  work();
  return std::all_of(stack.begin(), stack.end(), [](unsigned char byte) { return byte == 0xa5; });
}

TEST_F(MpiCommunicatorTest, OneRankIsTheFirstOfAHost) {  // mpirun starts them all here
  EXPECT_EQ(communicator_->first_on_host("hosts"), rank_ == 0);
}

TEST_F(MpiCommunicatorTest, WhatArrivesAfterTheTimeLimitIsWrittenWhereNobodyElseIs) {
  if (size_ == 1) GTEST_SKIP() << "one rank waits for nobody";
  const auto impatient = make_impatient();
  const auto meet = [&] {
    communicator_->sum(0, "rank 0 may go on");
    if (rank_ == 0) {
      EXPECT_DOUBLE_EQ(impatient->sum(1, "late"), total_);
    }
    communicator_->sum(0, "rank 0 is through");
  };
  if (rank_ != 0) {
    EXPECT_THROW(deeper_in_the_stack([&] { impatient->sum(rank_ + 1, "late"); }), Error);
  }
  EXPECT_TRUE(stack_stays_untouched(meet));
}

}  // namespace
