#include "data/evaluation/extract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "data/evaluation/numbers.h"

namespace rim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Case {
  std::string response;
  std::string text;  // "": no answer is to be found
  std::string extractor;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      // boxed wins over everything, the last whole one counts
      {"So \\boxed{42}.", "42", "boxed"},
      {"\\boxed{1} no, \\boxed{2}", "2", "boxed"},
      {"\\boxed{\\frac{1}{2}}", "\\frac{1}{2}", "boxed"},
      {"$\\boxed{\\text{Monday}}$", "Monday", "boxed"},
      {"\\boxed{\\mathrm{B}}", "B", "boxed"},
      {"\\boxed{ 7 }", "7", "boxed"},
      {"\\boxed{3} then \\boxed{unclosed", "3", "boxed"},
      {"\\boxed{} so 5", "5", "last_number"},
      {"\\boxed{5} #### 6", "5", "boxed"},
      {"The answer is 3. \\boxed{4}", "4", "boxed"},
      {"\\boxed{x^{2^{3}}+1}", "x^{2^{3}}+1", "boxed"},
      {"\\boxed{18\\%}", "18\\%", "boxed"},
      // tag
      {"<answer>12</answer>", "12", "answer_tag"},
      {"<answer> yes </answer> trailing 3", "yes", "answer_tag"},
      {"<Answer>8</Answer>", "8", "answer_tag"},
      {"<answer>1</answer><answer>2</answer>", "2", "answer_tag"},
      {"<answer>9", "9", "last_number"},
      {"<answer></answer> 4", "4", "last_number"},
      // statement
      {"The answer is 18.", "18", "answer_is"},
      {"the answer is $18.50.", "$18.50", "answer_is"},
      {"So the final answer is: **72**", "72", "answer_is"},
      {"The answer is 1,234.", "1,234", "answer_is"},
      {"The answer is -5.", "-5", "answer_is"},
      {"The answer is 18 apples, since 6 * 3 = 18.", "18", "answer_is"},
      {"The answer is 5 + 6 = 11.", "11", "answer_is"},
      {"The answer is 3.14", "3.14", "answer_is"},
      {"The answer is 1/2.", "1/2", "answer_is"},
      {"The answer is (B).", "B", "answer_is"},
      {"The correct answer is Paris.", "Paris", "answer_is"},
      {"The answer is yes!", "yes", "answer_is"},
      {"Answer: 30", "30", "answer_is"},
      {"**Answer:** 30 km", "30", "answer_is"},
      {"Final Answer: \n\n 64", "64", "answer_is"},
      {"Answer: let us look at every step of this in turn. 2 + 2 = 4", "4", "last_number"},
      {"The answer is 4. Wait, the answer is 5.", "5", "answer_is"},
      {"The answer is $\\frac{3}{4}$.", "\\frac{3}{4}", "answer_is"},
      {"The answer is 12%.", "12", "answer_is"},
      {"The answer is that they sold 9 cakes.", "9", "answer_is"},
      {"The answer is \"no\"", "no", "answer_is"},
      {"Answer: 3 days * 5 = 15, 15 * 3 = 45.", "45", "answer_is"},
      {"The answer is x = 3 + 4 = 7, so y = 7 - 2 = 5.", "5", "answer_is"},
      {"The answer is 18, because 6 * 3 = 18 and 18 = 2 * 9.", "18", "answer_is"},
      {"The answer is that in 3 days she reads 45 pages.", "45", "last_number"},
      {"Answer: in 3 days she reads 45 pages, then 2 more. \n#### 47", "47", "hashes"},
      {"The answer is that after all the long days of the summer camp they had sold only 9 of the many cakes. In all "
       "12.",
       "12", "last_number"},
      {"The answer is between 5 and 7.", "between 5 and 7", "answer_is"},
      {"The answer is $-5.", "-5", "answer_is"},
      // the last statement counts, whatever its words
      {"The answer is not obvious yet.\nAnswer: 42", "42", "answer_is"},
      {"Answer: 41\nNo, the answer is 42.", "42", "answer_is"},
      {"The answer is 41.\n**Answer**: 42", "42", "answer_is"},
      {"The answer is 42.\nAnswer: let us look at every step of this in turn.", "42", "answer_is"},
      // hashes
      {"6 * 3 = 18\n#### 18", "18", "hashes"},
      {"#### 1,000", "1,000", "hashes"},
      {"#### -3", "-3", "hashes"},
      {"#### $25", "$25", "hashes"},
      {"####18", "18", "hashes"},
      {"#### 5\n#### 6", "6", "hashes"},
      {"#### 10 dollars", "10", "hashes"},
      {"#### 3.5.", "3.5", "hashes"},
      {"#### \nThe total was 8", "8", "hashes"},
      // last number
      {"She has 3 cats and 4 dogs.", "4", "last_number"},
      {"Total: $1,250.75.", "$1,250.75", "last_number"},
      {"It fell to -12 degrees", "-12", "last_number"},
      {"It fell to \xE2\x88\x92"
       "12 degrees",
       "-12", "last_number"},
      {"between 5-7", "7", "last_number"},
      {"x-3", "3", "last_number"},
      {"(4)-3", "3", "last_number"},
      {"7, 8, 9", "9", "last_number"},
      {"about 3/4 of it", "3/4", "last_number"},
      {"it is .5", ".5", "last_number"},
      {"Done in 2024...", "2024", "last_number"},
      {"12 + 30 = 42", "42", "last_number"},
      {"price 5$", "5", "last_number"},
      // nothing
      {"", "", ""},
      {"I do not know.", "", ""},
      {"... , $ -", "", ""},
  };
  return kCases;
}

TEST(ExtractAnswer, Table) {
  EXPECT_GE(cases().size(), 60U);
  for (const Case& c : cases()) {
    const auto found = extract_answer(c.response);
    EXPECT_EQ(found ? found->text : "", c.text) << c.response;
    EXPECT_EQ(found ? found->extractor : "", c.extractor) << c.response;
  }
}

TEST(AnswersEqual, NumbersHoweverTheyAreWritten) {
  const std::vector<std::pair<std::string, std::string>> same = {{"18", "18"},
                                                                 {"$18", "18"},
                                                                 {"18.0", "18"},
                                                                 {"1,000", "1000"},
                                                                 {"18.", "18"},
                                                                 {"12%", "12"},
                                                                 {"18\\%", "18"},
                                                                 {"1/2", "0.5"},
                                                                 {"-3", "-3.00"},
                                                                 {"+4", "4"},
                                                                 {"18 apples", "18"},
                                                                 {"18 \\text{ m}", "18"},
                                                                 {"1{,}000", "1000"},
                                                                 {"007", "7"},
                                                                 {"9,999,999,999", "9999999999.0"},
                                                                 {"6/3", "2"},
                                                                 {"0.3333333333", "1/3"},
                                                                 {"Paris", "paris"},
                                                                 {"yes.", "Yes"},
                                                                 {"\xE2\x88\x92"
                                                                  "2",
                                                                  "-2"},
                                                                 {".5", "0.5"},
                                                                 {"\\frac{1}{2}", "\\frac{1}{2}"}};
  for (const auto& [given, gold] : same) EXPECT_TRUE(answers_equal(given, gold)) << given << " = " << gold;
}

// Quadratic work would take hours here.
TEST(FindNumbers, LongRunsWithoutADigitArePassedAtOnce) {
  const std::string dots(1'000'000, '.');
  EXPECT_THAT(find_numbers(dots), IsEmpty());
  EXPECT_THAT(find_numbers(dots + "-" + dots + "7"), ElementsAre("-" + dots + "7"));
  EXPECT_THAT(find_numbers("... -5, $$$ 3"), ElementsAre("-5", "3"));
}

TEST(AnswersEqual, DifferentAnswersDiffer) {
  const std::vector<std::pair<std::string, std::string>> different = {{"18", "19"},
                                                                      {"1.8", "18"},
                                                                      {"-3", "3"},
                                                                      {"5 or 6", "5"},
                                                                      {"", "0"},
                                                                      {"abc", "0"},
                                                                      {"1/0", "0"},
                                                                      {"no", "yes"},
                                                                      {"18 = 3", "18"},
                                                                      {"nan", "nan1"},
                                                                      {"1e3", "1000"},
                                                                      {"0.33", "1/3"},
                                                                      {"1000000001", "1000000000"},
                                                                      {"9999999999", "9999999990"}};
  for (const auto& [given, gold] : different) EXPECT_FALSE(answers_equal(given, gold)) << given << " != " << gold;
}

}  // namespace
}  // namespace rim
