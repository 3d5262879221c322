#include "launch/config/config_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/launch/config/config_fixture.h"

namespace rim {
namespace {

using config_test::kMinimal;
using config_test::parse;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string text_with(const std::vector<std::string>& overrides) { return parse(kMinimal, overrides).text; }

TEST(ConfigChanges, EachDifferingKeyIsALine) {
  const std::string before = text_with({"learning_rate=1e-4", "trainable=[a.*, b.*]"});
  const std::string now = text_with({"learning_rate=2e-4", "trainable=[a.*]", "data.train.0.limit=5"});
  EXPECT_THAT(config_changes(before, now), ElementsAre("data.train.0.limit was not given before, and is 5 now",
                                                       "learning_rate was 0.0001 before, and is 0.0002 now",
                                                       "trainable.1 was b.* before, and is not given now"));
}

TEST(ConfigChanges, WhatBelongsToOneCallIsNoChange) {
  const std::string before = text_with({"overwrite_output_dir=true"});
  EXPECT_THAT(config_changes(before, text_with({"resume_from_checkpoint=auto", "output_dir=b"})), IsEmpty());
}

TEST(ConfigChanges, TextThatIsNoConfigurationSaysNothing) {
  EXPECT_THAT(config_changes("model: [", text_with({})), IsEmpty());
}

}  // namespace
}  // namespace rim
