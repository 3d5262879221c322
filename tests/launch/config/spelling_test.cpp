#include "launch/config/spelling.h"

#include <gtest/gtest.h>

namespace rim {
namespace {

TEST(Spelling, CountsEachEditOnce) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", "abc"), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("learning_rte", "learning_rate"), 1U);
}

TEST(Spelling, ASwapOfNeighboursIsOneEdit) {
  EXPECT_EQ(edit_distance("sede", "seed"), 1U);
  EXPECT_EQ(edit_distance("ab", "ba"), 1U);
  EXPECT_EQ(edit_distance("ca", "abc"), 3U);  // the alignment form, not the unrestricted one (which says 2)
}

TEST(Spelling, SuggestsOnlyWhatIsNear) {
  const std::vector<std::string> names{"learning_rate", "seed", "save_steps", "logging_steps"};
  EXPECT_EQ(nearest_name("learing_rate", names), "learning_rate");
  EXPECT_EQ(nearest_name("sed", names), "seed");
  EXPECT_EQ(nearest_name("save_step", names), "save_steps");
  EXPECT_EQ(nearest_name("mitigation", names), std::nullopt);
  EXPECT_EQ(nearest_name("", names), std::nullopt);
  EXPECT_EQ(nearest_name(std::string(100000, 'x'), names), std::nullopt);
}

}  // namespace
}  // namespace rim
