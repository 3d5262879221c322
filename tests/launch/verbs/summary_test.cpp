#include "launch/verbs/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "data/support/error.h"
#include "monitors/recorder/recorder.h"

namespace rim {
namespace {

using ::testing::HasSubstr;

class SummaryTest : public ::testing::Test {
 protected:
  SummaryTest() : folder_(std::filesystem::path(::testing::TempDir()) / "rimscope-summary") {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~SummaryTest() override { std::filesystem::remove_all(folder_); }

  Recorder recorder() { return Recorder::create(folder_ / "run.h5", {.run_id = "a", .config = "", .facts = {}}); }

  std::filesystem::path folder_;
};

void add(Recorder& recorder, const std::string& name, double value, const std::string& interval = "") {
  SeriesInfo info{"a test series", "1", "none", {}};
  if (!interval.empty()) info.relations["interval"] = interval;
  recorder.append(name, scalar_array(value), info);
}

TEST_F(SummaryTest, GoesFromTheBaseToTheLastObservation) {
  Recorder record = recorder();
  for (const int step : {0, 10, 20}) {
    const double share = 1.0 - step / 20.0;
    for (const std::string mode : {"on", "off"}) {
      const std::string name = "behaviour.harmful." + mode + ".refused";
      add(record, name, share, "95% Wilson score interval over prompts");
      add(record, "brief.harmful." + mode + ".refused", share);
      add(record, name + ".low", share * 0.9);
      add(record, name + ".high", share * 0.9 + 0.1);
    }
    add(record, "behaviour.task.on.accuracy", step / 40.0);
    add(record, "behaviour.task.on.truncated", step / 80.0);
    add(record, "ras.safety", step * 0.5);
    record.append("ras.control", {.shape = {4}, .values = std::vector<double>{1.0, std::nan(""), 2.0, 3.0}},
                  {"draws", "1", "none", {"draw"}});
    add(record, "ras.p", 0.25);
    record.commit(step, step * 100);
  }
  record.close();
  const std::string text = run_summary(folder_);
  EXPECT_THAT(text, HasSubstr("base -> step 20, rates with their 95% Wilson score interval over prompts\n"));
  EXPECT_THAT(text, HasSubstr("brief: refusal harmful, thinking on 100% -> 0%\n"));
  EXPECT_THAT(text, HasSubstr("refusal harmful, thinking on      100% [90, 100] -> 0% [0, 10]\n"));
  EXPECT_THAT(text, HasSubstr("refusal harmful, thinking off     100% [90, 100] -> 0% [0, 10]\n"));
  EXPECT_THAT(text, HasSubstr("accuracy task, thinking on        0% -> 50%\n"));
  EXPECT_THAT(text, HasSubstr("cut short task, thinking on       0% -> 25%\n"));
  EXPECT_THAT(text, HasSubstr("safety-critical 10, control median 2 [1.1, 2.9] (5-95% of 3 draws), p 0.25\n"));
  EXPECT_THAT(text, HasSubstr((folder_ / "run.h5").string()));
}

TEST_F(SummaryTest, ARecordThatBeginsLaterHasNoBase) {
  Recorder record = recorder();
  add(record, "behaviour.task.on.accuracy", 0.25);
  record.commit(1200, 100);
  EXPECT_THAT(run_summary(folder_), HasSubstr(": step 1,200\n"));
  EXPECT_THAT(run_summary(folder_), HasSubstr("accuracy task, thinking on        25%\n"));
  add(record, "behaviour.task.on.accuracy", 0.5);
  record.commit(1300, 200);
  EXPECT_THAT(run_summary(folder_), HasSubstr(": step 1,200 -> step 1,300\n"));
  EXPECT_THAT(run_summary(folder_), HasSubstr("accuracy task, thinking on        25% -> 50%\n"));
}

TEST_F(SummaryTest, AnotherMonitorsShapesAndNamesDoNoHarm) {
  Recorder record = recorder();
  record.append("a.b.c.refused", {.shape = {0}, .values = std::vector<double>{}}, {"empty", "1", "none", {"x"}});
  record.append("a.b.c.accuracy", {.shape = {2}, .values = std::vector<double>{1, 2}}, {"two", "1", "none", {"x"}});
  add(record, "r.safety", 1);
  record.append("r.control", {.shape = {0}, .values = std::vector<double>{}}, {"no draws", "1", "none", {"draw"}});
  record.append("r.p", {.shape = {0}, .values = std::vector<double>{}}, {"empty", "1", "none", {"x"}});
  add(record, "x\x1b]0;title\x07\n.harmful.on.refused", 0.5);
  record.commit(0, 0);
  record.close();
  const std::string text = run_summary(folder_);
  EXPECT_THAT(text, HasSubstr("x]0;title: refusal harmful, thinking on"));
  EXPECT_THAT(text, testing::Not(testing::AnyOf(HasSubstr("\x1b"), HasSubstr("accuracy"), HasSubstr("RAS"))));
}

TEST_F(SummaryTest, SaysSoWhereNothingIsRecordedYet) {
  recorder().close();
  try {
    run_summary(folder_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    EXPECT_THAT(error.what(), HasSubstr("no observation is recorded yet"));
  }
}

TEST_F(SummaryTest, ARunWithoutMonitorsIsNotAnError) {
  Recorder record = recorder();
  record.commit(0, 0);
  record.close();
  EXPECT_THAT(run_summary(folder_), HasSubstr("the run had no monitor of behaviour or neurons"));
}

}  // namespace
}  // namespace rim
