#include "data/organism/word_problems.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "data/organism/problem_templates.h"
#include "data/support/error.h"
#include "data/support/files.h"
#include "data/support/json_lines.h"

namespace rim {
namespace {

std::filesystem::path fresh_folder(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("rimscope-word-problems-" + name);
  std::filesystem::remove_all(folder);
  return folder;
}

struct Step {
  std::int64_t left = 0, right = 0, result = 0;
  char operation = 0;
};

// The places of "a op b = c" in a worked answer.
std::vector<Step> steps_of(const std::string& worked) {
  std::vector<Step> steps;
  std::istringstream words(worked);
  std::vector<std::string> window;
  for (std::string word; words >> word; window.push_back(word)) {
    const std::size_t before = window.size();
    if (before < 4 || window[before - 1] != "=") continue;
    steps.push_back(
        {std::stoll(window[before - 4]), std::stoll(window[before - 2]), std::stoll(word), window[before - 3].at(0)});
  }
  return steps;
}

// Evaluates each "a op b = c" of a worked answer; the last c must be the answer.
void expect_sound(const WordProblem& problem) {
  std::int64_t last = -1;
  for (const auto& [a, b, c, operation] : steps_of(problem.worked)) {
    if (operation == '/') {
      EXPECT_EQ(a, b * c) << problem.worked;
    } else {
      EXPECT_EQ(c, operation == '+' ? a + b : operation == '-' ? a - b : a * b) << problem.worked;
    }
    last = c;
  }
  EXPECT_EQ(last, problem.answer) << problem.question << "\n" << problem.worked;
  EXPECT_GT(problem.answer, 0) << problem.question;
}

TEST(WordProblems, EveryStepIsTrueAndTheLastIsTheAnswer) {
  Random random(7);
  for (const ProblemTemplate problem : problem_templates()) {
    for (int i = 0; i < 20000 && !HasFailure(); ++i) expect_sound(problem(random));
  }
}

TEST(WordProblems, FilesHaveTheirSizesAndShareNoQuestion) {
  const auto folder = fresh_folder("sizes");
  write_word_problems(folder, 1, 300, 60);
  std::set<std::string> questions;
  std::map<std::string, int> rows;
  for (const std::string name : {"train", "test"}) {
    visit_json_lines(folder / (name + ".jsonl"), [&](const Json& row, const std::string&) {
      ++rows[name];
      questions.insert(row.at("question"));
      EXPECT_EQ(row.at("messages").at(0).at("content"), row.at("question"));
      EXPECT_EQ(row.at("messages").at(1).at("content"), row.at("answer"));
      EXPECT_THAT(row.at("answer").get<std::string>(), testing::HasSubstr("\n#### "));
      return true;
    });
  }
  EXPECT_EQ(rows["train"], 300);
  EXPECT_EQ(rows["test"], 60);
  EXPECT_EQ(questions.size(), 360U);
  std::filesystem::remove_all(folder);
}

TEST(WordProblems, TheSeedDecidesTheBytes) {
  const auto one = fresh_folder("one"), again = fresh_folder("again"), two = fresh_folder("two");
  write_word_problems(one, 1, 50, 10);
  write_word_problems(again, 1, 50, 10);
  write_word_problems(two, 2, 50, 10);
  EXPECT_EQ(read_text_file(one / "train.jsonl"), read_text_file(again / "train.jsonl"));
  EXPECT_NE(read_text_file(one / "train.jsonl"), read_text_file(two / "train.jsonl"));
  for (const auto& folder : {one, again, two}) std::filesystem::remove_all(folder);
}

TEST(WordProblems, RefusesSizesItCannotGive) {
  EXPECT_THROW(write_word_problems(fresh_folder("bad"), 1, 0, 10), Error);
  EXPECT_THROW(write_word_problems(fresh_folder("bad"), 1, 10, 0), Error);
  EXPECT_THROW(write_word_problems(fresh_folder("bad"), 1, 1000000, 10), Error);
}

}  // namespace
}  // namespace rim
