// Kills, full disks and folders that cannot be written: what is committed stays.
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "data/support/files.h"
#include "data/support/random.h"
#include "tests/monitors/recorder/recorder_fixture.h"

namespace rim {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kWidth = 12'000;  // 48 KB: a compressed chunk of its own
constexpr std::int64_t kSeries = 12;

std::vector<float> samples_at(std::int64_t step) {
  std::vector<float> values(static_cast<std::size_t>(kWidth));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(step) + static_cast<float>(i % 97);
  return values;
}

void observe(Recorder& recorder, std::int64_t step) {
  for (std::int64_t i = 0; i < kSeries; ++i) {
    recorder.append("scalar." + std::to_string(i), scalar_array(static_cast<double>(step * kSeries + i)), kRate);
  }
  recorder.append("samples", {{kWidth}, samples_at(step)}, {"samples", "1", "", {"neuron"}});
  recorder.append("draws", {{40}, std::vector<double>(40, static_cast<double>(step))}, kPerDraw);
  // New objects now and then, so that kills meet the copying commit too.
  if (step % 16 == 0) recorder.append("late." + std::to_string(step), scalar_array(1), kRate);
  recorder.commit(step, step);
}

void expect_whole(const std::filesystem::path& path) {
  const RunReader reader(path);
  const std::vector<std::int64_t> steps = reader.steps();
  for (std::size_t row = 0; row < steps.size(); ++row) ASSERT_EQ(steps[row], static_cast<std::int64_t>(row));
  for (const std::string& name : reader.series_names()) {
    ASSERT_EQ(reader.series(name).shape.front(), static_cast<std::int64_t>(steps.size())) << name;
  }
  if (steps.empty()) return;
  for (std::int64_t i = 0; i < kSeries; ++i) {
    const SeriesData data = reader.series("scalar." + std::to_string(i));
    for (std::size_t row = 0; row < steps.size(); ++row) {
      ASSERT_EQ(data.values[row], static_cast<double>(steps[row] * kSeries + i));
    }
  }
  const SeriesData samples = reader.series("samples");
  for (std::size_t row = 0; row < steps.size(); ++row) {
    const std::vector<float> expected = samples_at(steps[row]);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(samples.values[row * expected.size() + i], expected[i]) << "row " << row;
    }
  }
}

// Observes until it is killed; never returns. 3: the recorder threw.
[[noreturn]] void observe_forever(const std::filesystem::path& path, const Provenance& provenance) {
  try {
    Recorder recorder = std::filesystem::exists(path) ? Recorder::resume(path, provenance, INT64_MAX)
                                                      : Recorder::create(path, provenance);
    const auto next = static_cast<std::int64_t>(recorder.committed_steps().size());
    for (std::int64_t step = next;; ++step) observe(recorder, step);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    _exit(3);
  }
}

TEST_F(RecorderTest, KilledAtAnyTimeItsCommittedRowsAreWholeAndItResumes) {
  const char* wanted = std::getenv("RIMSCOPE_KILLS");  // raise it for a soak test
  const int kills = wanted != nullptr ? std::atoi(wanted) : 12;
  Random random(17);
  std::size_t rows = 0;
  for (int kill = 0; kill < kills; ++kill) {
    if (rows > 200) std::filesystem::remove(path_);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) observe_forever(path_, provenance());
    std::this_thread::sleep_for(std::chrono::microseconds(20'000 + random.below(180'000)));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself, status " << WEXITSTATUS(status);
    if (!std::filesystem::exists(path_)) continue;
    ASSERT_NO_FATAL_FAILURE(expect_whole(path_)) << "kill " << kill;
    rows = RunReader(path_).steps().size();
  }
  EXPECT_GT(rows, 0U);
}

// The child may write files of at most `limit` bytes: writes beyond it fail as they do on a full disk.
int observe_with_little_room(const std::filesystem::path& path, const Provenance& provenance, rlim_t limit) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit room{limit, limit};
    ::setrlimit(RLIMIT_FSIZE, &room);
    int code = 0;
    try {
      Recorder recorder = Recorder::create(path, provenance);
      for (std::int64_t step = 0; step < 10'000; ++step) observe(recorder, step);
    } catch (const Error& error) {
      const bool named = std::string(error.what()).find(path.filename().string()) != std::string::npos;
      code = named ? static_cast<int>(error.code()) : 4;
    }
    _exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(RecorderTest, AFullDiskIsAnErrorAndTheCommittedRowsStay) {
  for (const rlim_t limit : {rlim_t{900'000}, rlim_t{1'000'000}}) {
    std::filesystem::remove(path_);
    EXPECT_EQ(observe_with_little_room(path_, provenance(), limit), static_cast<int>(ExitCode::input_output));
    ASSERT_NO_FATAL_FAILURE(expect_whole(path_));
    EXPECT_FALSE(RunReader(path_).steps().empty());
    EXPECT_FALSE(std::filesystem::exists(folder_ / "run.h5.partial"));
    Recorder recorder = Recorder::resume(path_, provenance(), INT64_MAX);  // with room again
    observe(recorder, static_cast<std::int64_t>(recorder.committed_steps().size()));
    ASSERT_NO_FATAL_FAILURE(expect_whole(path_));
  }
}

TEST_F(RecorderTest, AFolderThatIsNotThereIsNamed) {
  const std::filesystem::path path = folder_ / "missing" / "run.h5";
  const Error error = error_of([&] { Recorder::create(path, provenance()); });
  EXPECT_EQ(error.code(), ExitCode::input_output);
  EXPECT_THAT(error.what(), HasSubstr(path.string()));
  EXPECT_THAT(error.what(), HasSubstr("No such file or directory"));
}

TEST_F(RecorderTest, AFileThatVanishesDuringTheRunIsNamed) {
  Recorder recorder = Recorder::create(path_, provenance());
  observe(recorder, 0);
  std::filesystem::remove(path_);
  EXPECT_THAT(error_of([&] { observe(recorder, 1); }).what(), HasSubstr(path_.string()));
}

}  // namespace
}  // namespace rim
