#include <algorithm>

#include "monitors/report/numbers.h"
#include "monitors/report/sections.h"
#include "monitors/report/training_log.h"

namespace rim::report {
namespace {

constexpr std::size_t kMostPoints = 400;

std::string draw_column(const TrainingLog& log, const std::vector<double>& values, const std::string& name,
                        const std::string& title, CurveStyle style, const std::string& caption,
                        const std::vector<double>& marks) {
  LineChart chart{.id = "log-" + name, .x_label = "step", .y_label = name, .x = log.step, .curves = {}};
  chart.marks = marks;
  chart.curves.push_back({"log." + name, title, style, values, {}, {}});
  return render_figure(title, chart, caption);
}

}  // namespace

Section training_section(const std::filesystem::path& run_folder, const std::vector<double>& marks) {
  Section section{"training", "Training", "", {}};
  TrainingLog log = read_training_log(run_folder / "log.jsonl");
  const std::size_t lines_per_point = thin(log, kMostPoints);
  std::string note =
      lines_per_point > 1 ? " Each point is the mean of " + std::to_string(lines_per_point) + " lines." : "";
  if (log.unreadable_lines > 0) {
    note += " " + std::to_string(log.unreadable_lines) + (log.unreadable_lines == 1 ? " line" : " lines") +
            " of log.jsonl could not be read.";
  }
  const auto add = [&](const std::vector<double>& values, const std::string& name, const std::string& title,
                       CurveStyle style, const std::string& caption) {
    if (!has_numbers(values)) return;
    section.blocks.push_back(draw_column(log, values, name, title, style, caption + note, marks));
  };
  add(log.loss, "loss", "Training loss", CurveStyle::orange, "Cross-entropy per trained token, over all ranks.");
  add(log.learning_rate, "learning_rate", "Learning rate", CurveStyle::blue, "As applied at each step.");
  add(log.gradient_norm, "grad_norm", "Gradient norm", CurveStyle::green,
      "Norm of the whole gradient before clipping.");
  return section;
}

}  // namespace rim::report
