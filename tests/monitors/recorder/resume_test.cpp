#include <gmock/gmock.h>

#include <cmath>

#include "data/support/files.h"
#include "data/support/sha256.h"
#include "monitors/recorder/hdf5_text.h"
#include "monitors/recorder/run_file.h"
#include "tests/monitors/recorder/recorder_fixture.h"

namespace rim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

void observe(Recorder& recorder, std::int64_t step) {
  const auto value = static_cast<double>(step);
  recorder.append("x", scalar_array(value), kRate);
  recorder.append("draws", {{2}, std::vector<double>{value, value + 1}}, kPerDraw);
  recorder.commit(step, step * 7);
}

TEST_F(RecorderTest, ResumingLeavesNoGapAndNoDuplicate) {
  {
    Recorder recorder = Recorder::create(path_, provenance());
    recorder.write_static("layer", {{2}, std::vector<std::int64_t>{4, 5}}, {"layer", "1", "", {"neuron"}});
    for (std::int64_t step : {0, 10, 20, 30}) observe(recorder, step);
  }
  Recorder recorder = Recorder::resume(path_, provenance(), 15);  // the checkpoint of step 10 was the last whole one
  EXPECT_THAT(recorder.committed_steps(), ElementsAre(0, 10));
  for (std::int64_t step : {20, 30, 40}) observe(recorder, step);
  const RunReader reader(path_);
  EXPECT_THAT(reader.steps(), ElementsAre(0, 10, 20, 30, 40));
  EXPECT_THAT(reader.series("x").values, ElementsAre(0, 10, 20, 30, 40));
  EXPECT_THAT(reader.series("step").values, ElementsAre(0, 10, 20, 30, 40));
  EXPECT_THAT(reader.series("tokens").values, ElementsAre(0, 70, 140, 210, 280));
  EXPECT_THAT(reader.series("draws").values, ElementsAre(0, 1, 10, 11, 20, 21, 30, 31, 40, 41));
  EXPECT_EQ(reader.series("x").info.definition, kRate.definition);
  EXPECT_THAT(reader.series("draws").info.dimensions, ElementsAre("draw"));
  EXPECT_THAT(reader.static_array("layer").values, ElementsAre(4, 5));
  EXPECT_EQ(reader.provenance().at("git_commit"), "abc123");
}

TEST_F(RecorderTest, AResumptionThatComesToNothingLeavesTheRows) {
  {
    Recorder recorder = Recorder::create(path_, provenance());
    for (std::int64_t step : {0, 10, 20}) observe(recorder, step);
  }
  const std::string before = read_text_file(path_);
  { const Recorder abandoned = Recorder::resume(path_, provenance(), 10); }
  EXPECT_EQ(read_text_file(path_), before);
  Recorder recorder = Recorder::resume(path_, provenance(), 10);
  recorder.cut_back();
  EXPECT_THAT(RunReader(path_).steps(), ElementsAre(0, 10));
  recorder.cut_back();  // once is enough
  recorder.close();
  EXPECT_THAT(RunReader(path_).steps(), ElementsAre(0, 10));
}

// The facts of the n-th resumption.
std::map<std::string, std::string> resumption(const std::filesystem::path& path, int number) {
  const auto file = hdf5::File::open_for_reading(path);
  const auto all = hdf5::open_group(file, file.id(), hdf5::kResumptionsGroup);
  const auto own = hdf5::open_group(file, all.id(), std::to_string(number));
  std::map<std::string, std::string> facts;
  for (const std::string& name : hdf5::names_in(file, own.id())) {
    facts[name] = hdf5::read_text_dataset(file, hdf5::open_dataset(file, own.id(), name).id()).front();
  }
  return facts;
}

TEST_F(RecorderTest, AResumptionKeepsTheConfigurationThatItBrings) {
  { observe(*std::make_unique<Recorder>(Recorder::create(path_, provenance())), 0); }
  Recorder::resume(path_, provenance(), 0).close();
  Provenance changed = provenance();
  changed.config = "seed: 1\nlearning_rate: 2\n";
  Recorder::resume(path_, changed, 0).close();
  EXPECT_THAT(resumption(path_, 1), ElementsAre(Pair("after_step", "0")));
  EXPECT_THAT(resumption(path_, 2), ElementsAre(Pair("after_step", "0"), Pair("config", changed.config),
                                                Pair("config_sha256", sha256_hex(changed.config))));
  EXPECT_EQ(RunReader(path_).provenance().at("config"), "seed: 1\n") << "the start's stays as it was";
}

TEST_F(RecorderTest, AnotherFolderGoesOnWithACopyOfTheRows) {
  {
    Recorder recorder = Recorder::create(path_, provenance());
    for (std::int64_t step : {0, 10, 20}) observe(recorder, step);
  }
  const std::filesystem::path other = folder_ / "other.h5";
  Recorder recorder = Recorder::continue_from(path_, other, provenance(), 10);
  observe(recorder, 15);
  EXPECT_THAT(RunReader(other).series("x").values, ElementsAre(0, 10, 15));
  EXPECT_THAT(RunReader(path_).series("x").values, ElementsAre(0, 10, 20));
  EXPECT_THAT(error_of([&] { Recorder::continue_from(path_, other, provenance("run-b"), 10); }).what(),
              HasSubstr(path_.string() + ": belongs to run 'run-a'"));
}

TEST_F(RecorderTest, ResumingTwiceAndBeforeTheFirstRowWorks) {
  { observe(*std::make_unique<Recorder>(Recorder::create(path_, provenance())), 0); }
  Recorder::resume(path_, provenance(), -1).close();
  EXPECT_TRUE(RunReader(path_).steps().empty());
  Recorder recorder = Recorder::resume(path_, provenance(), 100);
  observe(recorder, 0);
  EXPECT_THAT(RunReader(path_).series("x").values, ElementsAre(0));
}

TEST_F(RecorderTest, ResumingKeepsTheSeriesShapes) {
  { observe(*std::make_unique<Recorder>(Recorder::create(path_, provenance())), 0); }
  Recorder recorder = Recorder::resume(path_, provenance(), 0);
  EXPECT_THAT(error_of([&] {
                recorder.append("x", {{1}, std::vector<double>{1}}, kPerDraw);
              }).what(),
              HasSubstr("not float64[1]"));
}

TEST_F(RecorderTest, AnotherRunsFileIsRefused) {
  Recorder::create(path_, provenance("run-a")).close();
  const Error error = error_of([&] { Recorder::resume(path_, provenance("run-b"), 0); });
  EXPECT_EQ(error.code(), ExitCode::bad_data);
  EXPECT_THAT(error.what(), HasSubstr("belongs to run 'run-a', not to 'run-b'"));
  EXPECT_THAT(error.what(), HasSubstr(path_.string()));
}

TEST_F(RecorderTest, ForeignFilesAreRefusedAndLeftAlone) {
  write_file_atomically(path_, "these are somebody's notes, not HDF5");
  for (const Error& error : {error_of([&] { Recorder::resume(path_, provenance(), 0); }),
                             error_of([&] { Recorder::create(path_, provenance()); })}) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    EXPECT_THAT(error.what(), HasSubstr("cannot be opened as HDF5"));
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
  EXPECT_EQ(read_text_file(path_), "these are somebody's notes, not HDF5");
}

TEST_F(RecorderTest, AMissingFileCannotBeResumed) {
  EXPECT_EQ(error_of([&] { Recorder::resume(path_, provenance(), 0); }).code(), ExitCode::no_input);
}

TEST_F(RecorderTest, ASecondWriterIsNoticed) {
  Recorder first = Recorder::create(path_, provenance());
  observe(first, 0);
  Recorder second = Recorder::resume(path_, provenance(), 0);
  observe(second, 10);
  const Error error = error_of([&] { observe(first, 10); });
  EXPECT_EQ(error.code(), ExitCode::input_output);
  EXPECT_THAT(error.what(), HasSubstr("another process has written to it"));
}

}  // namespace
}  // namespace rim
