// log.jsonl as columns.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace rim::report {

struct TrainingLog {
  std::vector<double> step, loss, learning_rate, gradient_norm;  // NaN where a line lacks one
  std::size_t unreadable_lines = 0;                              // a run that was killed may leave one
};
// Empty where there is no file.
TrainingLog read_training_log(const std::filesystem::path& path);
// Means over equal stretches of lines, at most `points` of them. Returns how many lines one point stands for.
std::size_t thin(TrainingLog& log, std::size_t points);

}  // namespace rim::report
