// status.json: what a run is doing, for people and schedulers who do not watch its output. README.md says what is
// in it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace rim {

// Written whole each time (a reader never sees half a file), by rank 0 only.
class RunStatus {
 public:
  RunStatus(std::filesystem::path path, std::string run_id, std::int64_t total_steps);
  // state: starting, running, finished, preempted or failed. Throws Error(input_output).
  void write(const std::string& state, std::int64_t step, const std::string& message = "");
  // The same for a running run, at most every two seconds and without waiting for the disk. Training does not end for
  // it: where it cannot be written, the reason is returned, once in a run's life.
  [[nodiscard]] std::optional<std::string> update(std::int64_t step);
  [[nodiscard]] std::int64_t step() const { return step_; }

 private:
  [[nodiscard]] std::string text(const std::string& state, const std::string& message) const;

  std::filesystem::path path_;
  std::string run_id_;
  std::int64_t total_steps_;
  std::int64_t step_ = 0;
  std::chrono::steady_clock::time_point last_write_{};
  bool complained_ = false;
};

// For a rank that ends the run in rank 0's stead: state failed and the message, the rest as rank 0 wrote it last.
// Throws Error where the file is not there or cannot be written.
void note_failure(const std::filesystem::path& path, const std::string& message);

}  // namespace rim
