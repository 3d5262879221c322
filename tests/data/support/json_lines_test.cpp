#include "data/support/json_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "data/support/error.h"
#include "data/support/files.h"

namespace rim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class JsonLines : public testing::Test {
 protected:
  std::filesystem::path path_ = std::filesystem::path(testing::TempDir()) /
                                (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + ".jsonl");
  void TearDown() override { std::filesystem::remove(path_); }
  std::vector<std::string> origins(const std::string& text) const {
    std::ofstream(path_) << text;
    std::vector<std::string> lines;
    visit_json_lines(path_, [&](const Json&, const std::string& origin) {
      lines.push_back(origin.substr(origin.rfind(':') + 1));
      return true;
    });
    return lines;
  }
};

TEST_F(JsonLines, VisitsObjectsAndCountsBlankLines) {
  EXPECT_THAT(origins("{\"a\":1}\r\n\n  \n{\"a\":2}"), ElementsAre("1", "4"));
  EXPECT_THAT(origins(""), ElementsAre());
}

TEST_F(JsonLines, StopsWhenTold) {
  std::ofstream(path_) << "{}\n{}\nnot json\n";
  int visited = 0;
  visit_json_lines(path_, [&](const Json&, const std::string&) { return ++visited < 2; });
  EXPECT_EQ(visited, 2);
}

TEST_F(JsonLines, NamesTheLine) {
  for (const auto& [text, expected] :
       {std::pair{"{}\n{\"a\":\n", ":2: not valid JSON"}, {"[1]\n", ":1: expected a JSON object"}}) {
    try {
      origins(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data);
      EXPECT_THAT(error.what(), HasSubstr(expected));
    }
  }
}

TEST_F(JsonLines, WritesWhatItReads) {
  write_json_lines(path_, {{{"z", 1}, {"a", "\xC3\xA9\n"}}, {{"b", true}}});
  EXPECT_EQ(read_text_file(path_), "{\"z\":1,\"a\":\"\xC3\xA9\\n\"}\n{\"b\":true}\n");
}

TEST_F(JsonLines, ErrorsNameOneLine) {
  std::ofstream(path_) << "{}\n{\"a\": 1,}\n";
  try {
    visit_json_lines(path_, [](const Json&, const std::string&) { return true; });
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(".jsonl:2: not valid JSON: column 9: "));
  }
}

TEST_F(JsonLines, AGitLfsPointerIsToldFromData) {
  std::ofstream(path_) << "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
  try {
    visit_json_lines(path_, [](const Json&, const std::string&) { return true; });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    EXPECT_THAT(error.what(), HasSubstr(".jsonl: is a Git LFS pointer, not the file: run git lfs pull"));
  }
}

}  // namespace
}  // namespace rim
