#include "launch/verbs/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <new>

#include "trainer/parallel/communicator.h"

namespace rim {
namespace {

using ::testing::ElementsAre;

const Failure kWaited{ExitCode::software, "rank 0 of 3 waited 1.0 s in 'loss'", "node1", true};
const Failure kFull{ExitCode::input_output, "disk full", "node2", false};

Failure failure_of(const std::function<void()>& work) {
  try {
    work();
  } catch (...) {
    return current_failure();
  }
  return {};
}

TEST(Failures, WhatAllHaveAlikeIsToldOnceAndWithoutARank) {
  Failure config{ExitCode::config, "a: unknown\nb: missing", "node1", false};
  Failure elsewhere = config;
  elsewhere.host = "node2";
  const FailureReport report = report_failures({config, elsewhere});
  EXPECT_EQ(report.code, ExitCode::config);
  EXPECT_THAT(report.lines, ElementsAre("a: unknown", "b: missing"));
  EXPECT_THAT(report_failures({{ExitCode::software, "a\nb", "", false}}).lines, ElementsAre("a b"));
}

TEST(Failures, TheCauseComesFirstAndGivesTheCode) {
  Failure lost{ExitCode::software, "NCCL failed in 'loss'", "node2", true};
  const FailureReport report = report_failures({kWaited, lost, kFull});
  EXPECT_EQ(report.code, ExitCode::input_output);
  EXPECT_THAT(report.lines, ElementsAre("rank 2 of 3 (node2): disk full", "rank 0 of 3 waited 1.0 s in 'loss'"));
}

TEST(Failures, EveryCauseIsToldOnce) {
  const Failure memory{ExitCode::software, "out of memory", "node1", false};
  const FailureReport report = report_failures({kWaited, memory, kFull, memory});
  EXPECT_THAT(report.lines, ElementsAre("rank 1 of 4 (node1): out of memory", "rank 2 of 4 (node2): disk full",
                                        "rank 0 of 4 (node1): rank 0 of 3 waited 1.0 s in 'loss'"));
}

TEST(Failures, ARankAloneIsNamed) {
  EXPECT_THAT(report_failure(kFull, 1, 3).lines, ElementsAre("rank 1 of 3 (node2): disk full"));
}

TEST(Failures, ExceptionsKeepTheirKindOnTheWay) {
  const Failure waited = failure_of([] { throw TransportError(ExitCode::software, "waited \xff"); });
  EXPECT_TRUE(waited.of_transport);
  const Failure read = failure_from_text(to_text(waited));
  EXPECT_EQ(read.message, "waited \xef\xbf\xbd");
  EXPECT_EQ(read.host, waited.host);
  EXPECT_TRUE(read.of_transport);
  EXPECT_FALSE(failure_of([] { throw Error(ExitCode::no_input, "a"); }).of_transport);
  EXPECT_EQ(failure_of([] { throw std::bad_alloc(); }).message, "out of memory");
}

}  // namespace
}  // namespace rim
