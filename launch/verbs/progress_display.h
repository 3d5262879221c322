// A run's progress on stderr: one line that updates itself on a terminal, plain lines elsewhere, for the
// steps that are logged. Rank 0 only.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "launch/verbs/run_status.h"
#include "trainer/loop/training_loop.h"

namespace rim {

class ProgressDisplay : public ProgressSink {
 public:
  // `status` outlives the display and is kept up to date by it.
  explicit ProgressDisplay(RunStatus& status);
  ~ProgressDisplay() override;
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  void on_step(const StepRecord& record, std::int64_t total_steps, bool logged) override;
  void on_message(const std::string& line) override;
  // Leaves the last updating line standing.
  void finish();

 private:
  [[nodiscard]] double seconds_left(const StepRecord& record, std::int64_t total_steps) const;

  RunStatus& status_;
  bool terminal_;
  bool line_open_ = false;
  std::optional<StepRecord> first_;  // of this sitting: the pace is measured from it
  std::chrono::steady_clock::time_point first_seen_{}, last_drawn_{};
};

// "step 12/240  loss 1.2345  grad norm 0.87  lr 9.8e-05  15,020 tok/s  40 s left"
std::string progress_line(const StepRecord& record, std::int64_t total_steps, double seconds_left);

}  // namespace rim
