#include "data/support/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/support/error.h"

namespace rim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string message_of(std::string_view text) {
  try {
    parse_csv(text, "file.csv");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    return error.what();
  }
  return "accepted";
}

TEST(Csv, ReadsPlainFieldsAndBothLineEnds) {
  const CsvTable table = parse_csv("a,b\r\n1,2\n3,4", "file.csv");
  EXPECT_THAT(table.header, ElementsAre("a", "b"));
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_THAT(table.rows[0].fields, ElementsAre("1", "2"));
  EXPECT_THAT(table.rows[1].fields, ElementsAre("3", "4"));
  EXPECT_EQ(table.rows[1].line, 3);
}

TEST(Csv, QuotedFieldsHoldCommasQuotesAndLineBreaks) {
  const CsvTable table = parse_csv("a,b\n\"x, \"\"y\"\"\",\"one\r\ntwo\n\"\nz,\"\"\n", "file.csv");
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_THAT(table.rows[0].fields, ElementsAre("x, \"y\"", "one\r\ntwo\n"));
  EXPECT_THAT(table.rows[1].fields, ElementsAre("z", ""));
  EXPECT_EQ(table.rows[0].line, 2);
  EXPECT_EQ(table.rows[1].line, 5);
}

TEST(Csv, SkipsByteOrderMarkAndEmptyLines) {
  const CsvTable table = parse_csv(
      "\xEF\xBB\xBF"
      "a\n\n\n1\n\n",
      "file.csv");
  EXPECT_THAT(table.header, ElementsAre("a"));
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_EQ(table.rows[0].line, 4);
}

TEST(Csv, KeepsEmptyFieldsUnnamedColumnsAndStrayQuotes) {
  const CsvTable table = parse_csv(",b,c\n,,\n5\" tape,x,\n", "file.csv");
  EXPECT_THAT(table.header, ElementsAre("", "b", "c"));
  EXPECT_THAT(table.rows[0].fields, ElementsAre("", "", ""));
  EXPECT_THAT(table.rows[1].fields, ElementsAre("5\" tape", "x", ""));
}

TEST(Csv, NamesTheLineOfWhatIsWrong) {
  EXPECT_THAT(message_of("a,b\n1,2\n3\n"), HasSubstr("file.csv:3: this row has 1 fields, the header has 2"));
  EXPECT_THAT(message_of("a\n1\n\"x\ny\n"), HasSubstr("file.csv:3: a quote is opened here and never closed"));
  EXPECT_THAT(message_of("a\n\"x\"y\n"), HasSubstr("file.csv:2: text follows a closing quote"));
  EXPECT_THAT(message_of(" \n\n"), Not(HasSubstr("no header")));
  EXPECT_THAT(message_of("\n\n"), HasSubstr("there is no header row"));
}

TEST(Csv, AColumnIsNamedOnce) {
  EXPECT_THAT(message_of("\ngoal,answer,goal\n1,2,3\n"), HasSubstr("file.csv:2: the header names two columns 'goal'"));
  EXPECT_EQ(message_of("a,,\n1,2,3\n"), "accepted");  // without names
}

TEST(Csv, MissingFileIsNoInput) {
  try {
    read_csv_file("/nonexistent/file.csv");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::no_input);
  }
}

}  // namespace
}  // namespace rim
