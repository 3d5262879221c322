#include "monitors/report/training_log.h"

#include <algorithm>
#include <limits>
#include <sstream>

#include "data/support/error.h"
#include "data/support/files.h"
#include "data/support/json.h"

namespace rim::report {
namespace {

double member(const Json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_number() ? found->get<double>() : std::numeric_limits<double>::quiet_NaN();
}

void add_line(TrainingLog& log, const std::string& text) {
  const Json line = parse_json(text, "log.jsonl");
  if (!line.is_object() || !line.contains("step")) throw Error(ExitCode::bad_data, "log.jsonl: no step");
  log.step.push_back(json_number(line, "step", "log.jsonl"));
  log.loss.push_back(member(line, "loss"));
  log.learning_rate.push_back(member(line, "learning_rate"));
  log.gradient_norm.push_back(member(line, "grad_norm"));
}

std::vector<double> stretch_means(const std::vector<double>& values, std::size_t stretch) {
  std::vector<double> means;
  for (std::size_t first = 0; first < values.size(); first += stretch) {
    const std::size_t last = std::min(first + stretch, values.size());
    double sum = 0;
    for (std::size_t i = first; i < last; ++i) sum += values[i];
    means.push_back(sum / static_cast<double>(last - first));
  }
  return means;
}

}  // namespace

TrainingLog read_training_log(const std::filesystem::path& path) {
  TrainingLog log;
  if (!std::filesystem::exists(path)) return log;
  std::istringstream lines(read_text_file(path));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    try {
      add_line(log, line);
    } catch (const Error&) {
      ++log.unreadable_lines;
    }
  }
  return log;
}

std::size_t thin(TrainingLog& log, std::size_t points) {
  const std::size_t stretch = (log.step.size() + points - 1) / points;
  if (stretch <= 1) return 1;
  for (std::vector<double>* column : {&log.step, &log.loss, &log.learning_rate, &log.gradient_norm}) {
    *column = stretch_means(*column, stretch);
  }
  return stretch;
}

}  // namespace rim::report
