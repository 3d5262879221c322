#include "data/support/text.h"

#include <gtest/gtest.h>

#include <array>

namespace rim {
namespace {

TEST(Text, Trim) {
  EXPECT_EQ(trim("  a b \n"), "a b");
  EXPECT_EQ(trim(" \t"), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\n x\n", "\n"), " x");
}

TEST(Text, LowerLeavesOtherBytesAlone) { EXPECT_EQ(lower_ascii("AbZ[\xC3\x84"), "abz[\xC3\x84"); }

TEST(Text, Join) {
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join({"a"}, ", "), "a");
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
}

TEST(Text, ReplaceAllDoesNotReplaceItsOwnOutput) {
  EXPECT_EQ(replace_all("aXbX", "X", "XX"), "aXXbXX");
  EXPECT_EQ(replace_all("abc", "", "x"), "abc");
  EXPECT_EQ(replace_all("aaa", "aa", ""), "a");
}

TEST(Text, HexadecimalDigitsKeepLeadingZeros) {
  const std::array<unsigned char, 3> bytes{0x0A, 0xFF, 0x00};
  EXPECT_EQ(hexadecimal_digits(bytes), "0aff00");
  EXPECT_EQ(hexadecimal_digits({}), "");
}

}  // namespace
}  // namespace rim
