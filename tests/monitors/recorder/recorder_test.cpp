#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmath>
#include <cstdio>
#include <limits>

#include "data/support/sha256.h"
#include "monitors/recorder/chunking.h"
#include "tests/monitors/recorder/recorder_fixture.h"

namespace rim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(RecorderTest, WhatIsCommittedIsReadBack) {
  {
    Recorder recorder = Recorder::create(path_, provenance());
    for (std::int64_t step : {0, 10, 20}) {
      const auto value = static_cast<double>(step);
      recorder.append("behaviour.harmful.on.refused", scalar_array(1 - value / 100), kRate);
      recorder.append("ras.control", {{2}, std::vector<double>{value, -value}}, kPerDraw);
      recorder.append("neurons.raw", {{1, 3}, std::vector<float>{1, 2, static_cast<float>(step)}}, kPerNeuron);
      recorder.commit(step, step * 100);
    }
    recorder.close();
  }
  const RunReader reader(path_);
  EXPECT_THAT(reader.steps(), ElementsAre(0, 10, 20));
  EXPECT_THAT(reader.series_names(),
              ElementsAre("behaviour.harmful.on.refused", "neurons.raw", "ras.control", "step", "time", "tokens"));
  const SeriesData refused = reader.series("behaviour.harmful.on.refused");
  EXPECT_THAT(refused.shape, ElementsAre(3));
  EXPECT_THAT(refused.values, ElementsAre(1.0, 0.9, 0.8));
  EXPECT_EQ(refused.info.long_name, kRate.long_name);
  EXPECT_EQ(refused.info.units, kRate.units);
  EXPECT_EQ(refused.info.definition, kRate.definition);
  EXPECT_TRUE(refused.info.dimensions.empty());
  const SeriesData raw = reader.series("neurons.raw");
  EXPECT_THAT(raw.shape, ElementsAre(3, 1, 3));
  EXPECT_THAT(raw.values, ElementsAre(1, 2, 0, 1, 2, 10, 1, 2, 20));
  EXPECT_THAT(raw.info.dimensions, ElementsAre("layer", "neuron"));
  EXPECT_THAT(reader.series("tokens").values, ElementsAre(0, 1000, 2000));
  EXPECT_GT(reader.series("time").values.front(), 1.7e9);
}

TEST_F(RecorderTest, ProvenanceHoldsConfigItsDigestAndAllFacts) {
  Provenance given = provenance();
  given.facts["hosts"] = std::string(100'000, 'h');  // longer than an attribute may be
  given.facts["note"] = "Zürich & <b>";
  Recorder::create(path_, given).close();
  const auto facts = RunReader(path_).provenance();
  EXPECT_EQ(facts.at("config"), "seed: 1\n");
  EXPECT_EQ(facts.at("config_sha256"), sha256_hex("seed: 1\n"));
  EXPECT_EQ(facts.at("git_commit"), "abc123");
  EXPECT_EQ(facts.at("hosts").size(), 100'000U);
  EXPECT_EQ(facts.at("note"), "Zürich & <b>");
  EXPECT_EQ(facts.at("run_id"), "run-a");
  EXPECT_THAT(facts.at("created"), ::testing::MatchesRegex("....-..-..T..:..:..Z"));
}

TEST_F(RecorderTest, StaticArraysAndTextsAreReplacedByALaterWrite) {
  Recorder recorder = Recorder::create(path_, provenance());
  const SeriesInfo info{"layer of each neuron", "1", "index from 0", {"neuron"}};
  recorder.write_static("neurons.layer", {{3}, std::vector<std::int64_t>{0, 0, 1}}, info);
  recorder.write_static("prompts", std::vector<std::string>{"a", "", "ü"}, {"prompts", "", "", {"prompt"}});
  recorder.commit(0, 0);
  recorder.write_static("neurons.layer", {{0}, std::vector<std::int64_t>{}}, info);
  recorder.close();  // writes what came after the last commit
  const RunReader reader(path_);
  EXPECT_THAT(reader.static_names(), ElementsAre("neurons.layer", "prompts"));
  EXPECT_THAT(reader.static_array("neurons.layer").shape, ElementsAre(0));
  EXPECT_THAT(reader.static_array("neurons.layer").info.dimensions, ElementsAre("neuron"));
  EXPECT_THAT(reader.static_strings("prompts"), ElementsAre("a", "", "ü"));
  EXPECT_EQ(error_of([&] { (void)reader.static_strings("neurons.layer"); }).code(), ExitCode::bad_data);
}

TEST_F(RecorderTest, AStaticScalarIsAnArrayWithoutAxes) {
  Recorder recorder = Recorder::create(path_, provenance());
  recorder.write_static("split_half", scalar_array(0.5), {"stability", "1", "Jaccard index", {}});
  recorder.close();
  const SeriesData data = RunReader(path_).static_array("split_half");
  EXPECT_TRUE(data.shape.empty());
  EXPECT_THAT(data.values, ElementsAre(0.5));
  EXPECT_TRUE(data.info.dimensions.empty());
  EXPECT_EQ(data.info.definition, "Jaccard index");
}

TEST_F(RecorderTest, LongListsOfTextsComeBackWhole) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 3000; ++i) texts.push_back(std::string(i % 700, 'a') + std::to_string(i));
  Recorder recorder = Recorder::create(path_, provenance());
  recorder.write_static("texts", texts, {"texts", "", "", {"text"}});
  recorder.write_static("none", std::vector<std::string>{}, {"texts", "", "", {"text"}});
  recorder.close();
  EXPECT_EQ(RunReader(path_).static_strings("texts"), texts);
  EXPECT_TRUE(RunReader(path_).static_strings("none").empty());
  EXPECT_LT(std::filesystem::file_size(path_), 1'000'000U);  // 2.1 MB unpacked
}

TEST_F(RecorderTest, ASeriesThatMissesAnObservationHoldsNaNOrMinusOneThere) {
  Recorder recorder = Recorder::create(path_, provenance());
  recorder.append("early", scalar_array(1), kRate);
  recorder.append("flags", {{2}, std::vector<std::int8_t>{7, 7}}, kPerDraw);
  recorder.commit(0, 0);
  recorder.append("late", scalar_array(2), kRate);
  recorder.append("verdict", {{1}, std::vector<std::int8_t>{0}}, kPerDraw);
  recorder.commit(1, 1);
  recorder.commit(2, 2);
  const RunReader reader(path_);
  EXPECT_TRUE(std::isnan(reader.series("early").values[1]));
  EXPECT_TRUE(std::isnan(reader.series("late").values[0]));
  EXPECT_EQ(reader.series("late").values[1], 2);
  EXPECT_TRUE(std::isnan(reader.series("late").values[2]));
  EXPECT_THAT(reader.series("flags").values, ElementsAre(7, 7, -1, -1, -1, -1));
  EXPECT_THAT(reader.series("verdict").values, ElementsAre(-1, 0, -1)) << "not 0, which is a verdict";
}

TEST_F(RecorderTest, UncommittedRowsAreNotSeen) {
  Recorder recorder = Recorder::create(path_, provenance());
  recorder.append("x", scalar_array(1), kRate);
  EXPECT_TRUE(RunReader(path_).steps().empty());
  recorder.commit(0, 0);
  recorder.append("x", scalar_array(2), kRate);
  EXPECT_THAT(RunReader(path_).series("x").values, ElementsAre(1));
}

TEST_F(RecorderTest, LargeRowsAndEmptyRowsComeBackWhole) {
  const std::int64_t layers = 3;
  const std::int64_t width = 200'000;  // 2.4 MB a row: several compressed chunks
  std::vector<float> values(static_cast<std::size_t>(layers * width));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1013);
  Recorder recorder = Recorder::create(path_, provenance());
  for (std::int64_t step = 0; step < 3; ++step) {
    values[0] = static_cast<float>(step);
    recorder.append("samples", {{layers, width}, values}, kPerNeuron);
    recorder.append("none", {{0}, std::vector<double>{}}, kPerDraw);
    recorder.commit(step, step);
  }
  const SeriesData samples = RunReader(path_).series("samples");
  ASSERT_EQ(samples.values.size(), 3 * values.size());
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(samples.values[2 * values.size() + i], values[i]);
  EXPECT_EQ(samples.values[values.size()], 1);
  EXPECT_THAT(RunReader(path_).series("none").shape, ElementsAre(3, 0));
}

TEST_F(RecorderTest, MistakesOfACallerAreNamed) {
  Recorder recorder = Recorder::create(path_, provenance());
  recorder.append("x", scalar_array(1), kRate);
  recorder.commit(5, 0);
  EXPECT_THAT(error_of([&] {
                recorder.append("x", {{2}, std::vector<double>{1, 2}}, kPerDraw);
              }).what(),
              HasSubstr("'x' has rows of float64[], not float64[2]"));
  EXPECT_THAT(error_of([&] { recorder.append("x", {{}, std::vector<float>{1}}, kRate); }).what(), HasSubstr("float32"));
  EXPECT_THAT(error_of([&] {
                recorder.append("y", {{3}, std::vector<double>{1}}, kPerDraw);
              }).what(),
              HasSubstr("1 values do not fill float64[3]"));
  EXPECT_THAT(error_of([&] {
                recorder.append("y", {{1}, std::vector<double>{1}}, kRate);
              }).what(),
              HasSubstr("names 0 dimensions and has 1"));
  EXPECT_EQ(error_of([&] { recorder.append("a/b", scalar_array(1), kRate); }).code(), ExitCode::software);
  EXPECT_EQ(error_of([&] { recorder.append("step", scalar_array(1), kRate); }).code(), ExitCode::software);
  EXPECT_THAT(error_of([&] { recorder.commit(5, 0); }).what(), HasSubstr("step 5 does not follow"));
}

TEST_F(RecorderTest, ManyRowsSpanManyChunks) {
  const std::size_t width = 2048;  // 16 KB: four rows share a chunk
  Recorder recorder = Recorder::create(path_, provenance());
  for (std::int64_t step = 0; step < 30; ++step) {
    recorder.append("x", {{2048}, std::vector<double>(width, static_cast<double>(step) / 2)}, kPerDraw);
    recorder.commit(step, step);
  }
  const SeriesData x = RunReader(path_).series("x");
  ASSERT_EQ(x.values.size(), 30 * width);
  for (std::size_t i = 0; i < x.values.size(); ++i) ASSERT_EQ(x.values[i], static_cast<double>(i / width) / 2);
}

ino_t inode(const std::filesystem::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

TEST_F(RecorderTest, RowsBeyondOneIndexLeafGoIntoACopy) {
  constexpr std::int64_t width = 5'000;  // 40 KB: a chunk of its own
  Recorder recorder = Recorder::create(path_, provenance());
  std::vector<std::int64_t> replaced;
  for (std::int64_t step = 0; step < 259; ++step) {
    const ino_t before = inode(path_);
    recorder.append("x", {{width}, std::vector<double>(width, static_cast<double>(step))}, kPerDraw);
    recorder.commit(step, step);
    if (inode(path_) != before) replaced.push_back(step);
  }
  EXPECT_THAT(replaced, ElementsAre(0, 256, 257, 258)) << "in place only while one leaf holds all chunks";
  const SeriesData x = RunReader(path_).series("x");
  for (std::size_t row = 0; row < 259; ++row) ASSERT_EQ(x.values[row * width], static_cast<double>(row));
}

TEST(Chunking, CountsTheChunksOfRows) {
  EXPECT_EQ(hdf5::chunk_count({}, 8, 512), 1U);
  EXPECT_EQ(hdf5::chunk_count({}, 8, 513), 2U);
  EXPECT_EQ(hdf5::chunk_count({5'000}, 8, 3), 3U);
  EXPECT_EQ(hdf5::chunk_count({1000, 3500}, 4, 16), 256U) << "14 MB: 16 chunks a row";
  EXPECT_EQ(hdf5::chunk_count({0}, 8, 4), 1U);
}

// Reads on and on in a process of its own; 0 once it saw the last row and every reading before was whole.
int read_until(const std::filesystem::path& path, std::int64_t last_step) {
  try {
    for (;;) {
      const RunReader reader(path);
      const std::vector<std::int64_t> steps = reader.steps();
      if (steps.empty()) continue;
      const SeriesData x = reader.series("x");
      for (std::size_t i = 0; i < steps.size(); ++i) {
        if (x.values.at(i) != static_cast<double>(steps[i])) return 2;
      }
      if (steps.back() == last_step) return 0;
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

TEST_F(RecorderTest, AnotherProcessReadsWhileTheRunGoesOn) {
  Recorder recorder = Recorder::create(path_, provenance());
  const pid_t child = ::fork();
  if (child == 0) _exit(read_until(path_, 99));
  for (std::int64_t step = 0; step < 100; ++step) {
    recorder.append("x", scalar_array(static_cast<double>(step)), kRate);
    recorder.commit(step, step);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace rim
