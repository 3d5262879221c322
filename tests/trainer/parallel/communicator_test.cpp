// What a communicator does above its transport.
#include "trainer/parallel/communicator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/alone.h"

namespace {

using namespace rim;

// The other rank is gone: whatever is asked of it ends with the time limit.
class DesertedCommunicator : public rim::testing::AloneCommunicator {
 public:
  [[nodiscard]] int size() const override { return 2; }
  double sum(double, const std::string& name) override {
    throw Error(ExitCode::software, "waited 1.0 s in '" + name + "'");
  }
};

TEST(Agreement, TheErrorOfThisRankIsNotLostWhenTheRanksCannotAgree) {
  DesertedCommunicator communicator;
  try {
    communicator.together("save", [] { throw Error(ExitCode::input_output, "disk full"); });
    FAIL() << "nobody can agree";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input_output);
    EXPECT_STREQ(error.what(), "disk full (then: waited 1.0 s in 'save')");
  }
}

TEST(Agreement, WithoutAnErrorOfItsOwnThisRankSaysWhatItWaitedFor) {
  DesertedCommunicator communicator;
  EXPECT_THAT([&] { communicator.together("save", [] {}); }, ::testing::ThrowsMessage<Error>("waited 1.0 s in 'save'"));
}

}  // namespace
