// A temporary folder and small rows for the recorder's tests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "data/support/error.h"
#include "monitors/recorder/recorder.h"
#include "monitors/recorder/run_reader.h"

namespace rim {

class RecorderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              (std::string("rim-") + test->name() + "-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    path_ = folder_ / "run.h5";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static Provenance provenance(const std::string& run_id = "run-a") {
    return {run_id, "seed: 1\n", {{"git_commit", "abc123"}, {"world_size", "2"}}};
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
};

inline const SeriesInfo kRate{"share refused", "1", "refused / asked", {}};
inline const SeriesInfo kPerDraw{"shift per draw", "1", "one value per control draw", {"draw"}};
inline const SeriesInfo kPerNeuron{"activation", "activation", "mean over prompts", {"layer", "neuron"}};

// Runs `work` and returns the Error it throws; fails the test where it throws none.
template <typename Work>
Error error_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no Error was thrown";
  return {ExitCode::ok, ""};
}

}  // namespace rim
