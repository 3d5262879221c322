#include "launch/verbs/progress_display.h"

#include <unistd.h>

#include <cmath>
#include <iostream>
#include <limits>

#include "launch/verbs/terminal.h"

namespace rim {
namespace {

constexpr std::chrono::milliseconds kBetweenDrawings{100};
constexpr const char* kStartOfLine = "\r\033[K";  // and clear what stood there

}  // namespace

std::string progress_line(const StepRecord& record, std::int64_t total_steps, double seconds_left) {
  std::string line = "step " + std::to_string(record.step) + "/" + std::to_string(total_steps) + "  loss " +
                     fixed_number(record.loss, 4) + "  grad norm " + short_number(record.grad_norm, 3) + "  lr " +
                     short_number(record.learning_rate, 3) + "  " + grouped(std::llround(record.tokens_per_second)) +
                     " tok/s";
  if (std::isfinite(seconds_left) && record.step < total_steps) line += "  " + duration_text(seconds_left) + " left";
  return line;
}

ProgressDisplay::ProgressDisplay(RunStatus& status) : status_(status), terminal_(is_terminal(STDERR_FILENO)) {}

ProgressDisplay::~ProgressDisplay() { finish(); }

void ProgressDisplay::finish() {
  if (line_open_) std::cerr << "\n" << std::flush;
  line_open_ = false;
}

double ProgressDisplay::seconds_left(const StepRecord& record, std::int64_t total_steps) const {
  if (!first_ || record.step <= first_->step) return std::numeric_limits<double>::quiet_NaN();
  // Wall-clock time, so that checkpoints and observations count.
  const double passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - first_seen_).count();
  return passed / static_cast<double>(record.step - first_->step) * static_cast<double>(total_steps - record.step);
}

void ProgressDisplay::on_step(const StepRecord& record, std::int64_t total_steps, bool logged) {
  const auto now = std::chrono::steady_clock::now();
  if (!first_) {
    first_ = record;
    first_seen_ = now;
  }
  if (const auto problem = status_.update(record.step)) on_message("note: " + *problem + "; training goes on");
  const bool last = record.step >= total_steps;
  if (!terminal_ && !logged) return;
  if (terminal_ && !last && now - last_drawn_ < kBetweenDrawings) return;
  last_drawn_ = now;
  const std::string line = progress_line(record, total_steps, seconds_left(record, total_steps));
  if (!terminal_) {
    std::cerr << line + "\n" << std::flush;
    return;
  }
  std::cerr << kStartOfLine + line.substr(0, static_cast<std::size_t>(terminal_width(STDERR_FILENO) - 1)) << std::flush;
  line_open_ = true;
}

void ProgressDisplay::on_message(const std::string& line) {
  std::cerr << (line_open_ ? kStartOfLine : "") + printable(line) + "\n" << std::flush;
  line_open_ = false;
}

}  // namespace rim
