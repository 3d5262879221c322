#include "launch/verbs/terminal.h"

#include <gtest/gtest.h>

#include <limits>

namespace rim {
namespace {

TEST(Terminal, TakesControlCharactersOut) {
  EXPECT_EQ(printable("plain \t text"), "plain \t text");
  EXPECT_EQ(printable("a\033[2Jb\r\n\x7f\a"), "a[2Jb");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m"),
            "31m");                                              // U+009B, a control sequence introducer
  EXPECT_EQ(printable("\xC2\xA0é ä 日本"), "\xC2\xA0é ä 日本");  // text beyond ASCII stays
  EXPECT_EQ(printable("\xC2"), "\xC2");
}

TEST(Terminal, GroupsDigits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-1234), "-1,234");
  EXPECT_EQ(grouped(-123), "-123");
}

TEST(Terminal, WritesBytesAndDurations) {
  EXPECT_EQ(byte_text(12), "12 B");
  EXPECT_EQ(byte_text(1536), "1.5 KiB");
  EXPECT_EQ(byte_text(640.0 * 1024 * 1024), "640 MiB");
  EXPECT_EQ(byte_text(5.0 * 1024 * 1024 * 1024), "5.0 GiB");
  EXPECT_EQ(duration_text(12.4), "12 s");
  EXPECT_EQ(duration_text(59.6), "1 min 00 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(3723), "1 h 02 min");
  EXPECT_EQ(duration_text(std::numeric_limits<double>::infinity()), "?");
  EXPECT_EQ(duration_text(-1), "?");
}

}  // namespace
}  // namespace rim
