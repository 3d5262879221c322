// The parts of the page that need no browser.
#include "monitors/report/report.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include "data/support/error.h"
#include "data/support/files.h"
#include "monitors/report/chart.h"
#include "monitors/report/control_band.h"
#include "monitors/report/html.h"
#include "monitors/report/numbers.h"
#include "monitors/report/prose.h"
#include "monitors/report/training_log.h"

namespace rim::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

LineChart chart_of(std::vector<double> x, std::vector<double> values) {
  LineChart chart{.id = "c", .x_label = "step", .y_label = "y", .x = std::move(x), .curves = {}};
  chart.curves.push_back({"s", "curve", CurveStyle::orange, std::move(values), {}, {}});
  return chart;
}

TEST(Html, EscapesTextAndAttributes) {
  EXPECT_EQ(escape("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
  EXPECT_EQ(escape(std::string("a\0b\x1b\n", 5)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\n");
  EXPECT_EQ(text_element("p", {{"title", "\""}}, "<"), "<p title=\"&quot;\">&lt;</p>");
}

TEST(Numbers, AreWrittenForPeople) {
  EXPECT_EQ(to_text(0.067, NumberForm::percent), "6.7%");
  EXPECT_EQ(to_text(1, NumberForm::percent), "100%");
  EXPECT_EQ(to_text(-0.0, NumberForm::percent), "0%");
  EXPECT_EQ(to_text(kNaN), "–");
  EXPECT_EQ(to_text(0.012345), "0.0123");
  EXPECT_EQ(to_short_text(0.012345), "0.012");
  EXPECT_EQ(to_short_text(1234), "1234");
  EXPECT_EQ(to_short_text(0.0005), "5e-4");
  EXPECT_EQ(to_short_text(-1.84e-10), "-1.8e-10");
  EXPECT_EQ(to_short_text(2e7), "2e7");
  EXPECT_EQ(to_short_text(0.5, NumberForm::percent), "50%");
  EXPECT_EQ(to_text(12000), "12000");
  EXPECT_EQ(to_text(-std::numeric_limits<double>::infinity()), "−∞");
  EXPECT_EQ(coordinate(-0.01), "0");
}

TEST(Numbers, TicksAreRoundAndInside) {
  EXPECT_THAT(round_ticks({0, 1}, 5), ElementsAre(0, 0.2, 2 * 0.2, 3 * 0.2, 0.8, 1));
  EXPECT_THAT(round_ticks({0, 240}, 6), ElementsAre(0, 50, 100, 150, 200));
  EXPECT_THAT(round_ticks({-1, 1}, 4), ElementsAre(-1, -0.5, 0, 0.5, 1));
  EXPECT_THAT(round_ticks({3, 3}, 5), ElementsAre(3));
}

// Distinct, evenly far apart, and equal to the ticks when read back.
TEST(Numbers, TickLabelsReadBack) {
  for (const Range& range : {Range{-3.05, -2.86}, Range{0, 1}, Range{0, 240}, Range{1.02, 1.2}, Range{-1e-7, 3e-7},
                             Range{2.0001, 2.0004}, Range{-12, 30000}, Range{0, 3e9}, Range{99990, 100010}}) {
    const std::vector<double> ticks = round_ticks(range, 5);
    const std::vector<std::string> labels = tick_labels(ticks);
    ASSERT_EQ(labels.size(), ticks.size());
    for (std::size_t i = 0; i < ticks.size(); ++i) {
      EXPECT_NEAR(std::stod(labels[i]), ticks[i], 1e-9 * (std::abs(ticks.back()) + std::abs(ticks.front())))
          << labels[i];
      EXPECT_TRUE(i == 0 || labels[i] != labels[i - 1]) << labels[i];
    }
  }
  EXPECT_THAT(tick_labels(round_ticks({-3.05, -2.86}, 5)), ElementsAre("-3.05", "-3.00", "-2.95", "-2.90"));
  EXPECT_THAT(tick_labels(round_ticks({0, 1}, 5), NumberForm::percent),
              ElementsAre("0%", "20%", "40%", "60%", "80%", "100%"));
  EXPECT_THAT(tick_labels({0, 0.005, 0.01}, NumberForm::percent), ElementsAre("0%", "0.5%", "1.0%"));
  EXPECT_THAT(tick_labels({0, 0.0005, 0.001}), ElementsAre("0", "5e-4", "1e-3")) << "short beside the axis";
  EXPECT_THAT(tick_labels({0.25}), ElementsAre("0.25"));
}

TEST(Captions, EndWithOneStop) {
  EXPECT_EQ(sentence("as voted"), "as voted.");
  EXPECT_EQ(sentence("As voted. "), "As voted.");
  EXPECT_EQ(sentence(""), "");
}

TEST(LineChart, MarksWhereARunWasResumed) {
  LineChart chart = chart_of({0, 100, 200}, {1, 2, 3});
  chart.marks = {50, 150, 300};
  EXPECT_EQ(count_of(draw(chart), "class=\"mark\""), 2U) << "one lies beyond the axis";
  EXPECT_EQ(marks_in_words(chart), "resumed after steps 50, 150");
  EXPECT_THAT(draw(chart), HasSubstr("x1=\"121.5\""));  // a quarter from 44 to 354
  chart.marks = {50};
  EXPECT_EQ(marks_in_words(chart), "resumed after step 50");
  EXPECT_EQ(marks_in_words(chart_of({0, 1}, {1, 2})), "");
}

TEST(Numbers, RangesLeaveOutWhatIsNotFinite) {
  const Range range = range_of({{1, kNaN}, {3, std::numeric_limits<double>::infinity()}});
  EXPECT_LT(range.low, 1);
  EXPECT_GT(range.high, 3);
  EXPECT_LT(range.high, 4);
  EXPECT_EQ(range_of({{kNaN}}).high, 1);
  EXPECT_GT(range_of({{0, 0}}).high, 0);
}

TEST(LineChart, ANaNIsAGap) {
  const std::string svg = draw(chart_of({0, 1, 2, 3, 4}, {1, 2, kNaN, 2, 1}));
  EXPECT_EQ(count_of(svg, "<polyline"), 2U);
  EXPECT_EQ(count_of(svg, "<circle"), 4U);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(LineChart, NothingToDrawAndOnePointAreDrawn) {
  EXPECT_EQ(count_of(draw(chart_of({0, 1}, {kNaN, kNaN})), "<polyline"), 0U);
  EXPECT_EQ(count_of(draw(chart_of({}, {})), "<polyline"), 0U);
  const std::string one = draw(chart_of({7}, {1}));
  EXPECT_EQ(count_of(one, "<circle"), 1U);
  EXPECT_THAT(one, Not(HasSubstr("nan")));
}

TEST(LineChart, ABandOfOnePointIsAStroke) {
  LineChart chart = chart_of({0, 1, 2}, {1, kNaN, 2});
  chart.curves[0].low = {0, kNaN, 1};
  chart.curves[0].high = {2, kNaN, 3};
  const std::string svg = draw(chart);
  EXPECT_EQ(count_of(svg, "class=\"whisker\""), 2U);
  EXPECT_EQ(count_of(svg, "class=\"band\""), 0U);
}

TEST(LineChart, ManyPointsHaveNoMarkers) {
  std::vector<double> values(200, 1.0);
  EXPECT_EQ(count_of(draw(chart_of(values, values)), "<circle"), 0U);
}

// Two steps, four draws of two neurons; medians and 5% and 95% quantiles by hand (linear interpolation).
TEST(ControlBand, IsMedianAndQuantilesOfTheDrawsMeans) {
  const SeriesData draws{{2, 4, 2}, {0, 2, 2, 4, 4, 6, 6, 8, kNaN, 5, kNaN, kNaN, 1, 1, 3, 3}, {}};
  const Curve curve = control_band("ras.control", draws);
  EXPECT_THAT(curve.values, ElementsAre(4, 3));  // means 1 3 5 7; and 5, none, 1, 3
  EXPECT_NEAR(curve.low[0], 1.3, 1e-12);
  EXPECT_NEAR(curve.high[0], 6.7, 1e-12);
  EXPECT_NEAR(curve.low[1], 1.2, 1e-12);
  EXPECT_THAT(curve.label, HasSubstr("4 draws"));
}

TEST(ControlBand, OfNoDrawsIsNaN) {
  EXPECT_TRUE(std::isnan(control_band("c", {{1, 0}, {}, {}}).values[0]));
  EXPECT_EQ(draws_in({{3}, {1, 2, 3}, {}}), 0);
}

class ReportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("rim-report-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(ReportTest, TheLogIsReadAndThinned) {
  std::string lines = "{\"step\": 0}\nnot json\n[1]\n{\"loss\": 1}\n";
  for (int i = 1; i < 10; ++i)
    lines += "{\"step\": " + std::to_string(i) + ", \"loss\": " + std::to_string(2 * i) + "}\n";
  write_file_atomically(folder_ / "log.jsonl", lines + "{\"step\": 1");
  TrainingLog log = read_training_log(folder_ / "log.jsonl");
  EXPECT_EQ(log.unreadable_lines, 4U);
  ASSERT_EQ(log.step.size(), 10U);
  EXPECT_TRUE(std::isnan(log.loss[0]));
  EXPECT_TRUE(std::isnan(log.learning_rate[5]));
  EXPECT_EQ(thin(log, 5), 2U);
  EXPECT_THAT(log.step, ElementsAre(0.5, 2.5, 4.5, 6.5, 8.5));
  EXPECT_EQ(log.loss[4], 17);
  EXPECT_EQ(thin(log, 5), 1U);
  EXPECT_TRUE(read_training_log(folder_ / "none.jsonl").step.empty());
}

TEST_F(ReportTest, AFolderWithoutARunIsNamed) {
  try {
    write_report(folder_);
    FAIL() << "no Error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::no_input);
    EXPECT_THAT(error.what(), HasSubstr("run.h5"));
  }
}

}  // namespace
}  // namespace rim::report
