#include "data/organism/word_problems.h"

#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "data/organism/problem_templates.h"
#include "data/support/error.h"
#include "data/support/files.h"
#include "data/support/json_lines.h"

namespace rim {
namespace {

// Far below the number of different problems, so that drawing until enough are new ends soon.
constexpr std::int64_t kMostProblems = 20000;

nlohmann::ordered_json row_of(const WordProblem& problem, const std::string& id) {
  const std::string answer = problem.worked + "\n#### " + std::to_string(problem.answer);
  nlohmann::ordered_json row = {{"id", id}, {"question", problem.question}, {"answer", answer}};
  row["messages"] = {{{"role", "user"}, {"content", problem.question}}, {{"role", "assistant"}, {"content", answer}}};
  return row;
}

std::vector<nlohmann::ordered_json> draw_rows(std::string_view name, std::int64_t count, Random& random,
                                              std::set<std::string>& asked) {
  std::vector<nlohmann::ordered_json> rows;
  while (std::ssize(rows) < count) {
    const WordProblem problem = draw_word_problem(random);
    if (!asked.insert(problem.question).second) continue;
    rows.push_back(row_of(problem, std::string(name) + "-" + std::to_string(rows.size() + 1)));
  }
  return rows;
}

std::string card(std::uint64_t seed) {
  return "# Generated word problems\n\n"
         "Made by `rimscope word-problems`, seed " +
         std::to_string(seed) +
         ", from twelve templates with random names, things and numbers. Synthetic; Apache-2.0.\n"
         "`train.jsonl` and `test.jsonl` share no question. Each row can be read as format gsm8k (question, answer) "
         "or\n"
         "messages.\n";
}

}  // namespace

WordProblem draw_word_problem(Random& random) { return random.pick(problem_templates())(random); }

void write_word_problems(const std::filesystem::path& folder, std::uint64_t seed, std::int64_t train,
                         std::int64_t test) {
  if (train < 1 || test < 1 || train > kMostProblems || test > kMostProblems - train) {
    throw Error(ExitCode::usage,
                "word problems: train and test must be positive and together at most " + std::to_string(kMostProblems));
  }
  require_writable_folder(folder);
  Random random(seed);
  std::set<std::string> asked;
  write_json_lines(folder / "test.jsonl", draw_rows("test", test, random, asked));
  write_json_lines(folder / "train.jsonl", draw_rows("train", train, random, asked));
  write_file_atomically(folder / "README.md", card(seed));
}

}  // namespace rim
