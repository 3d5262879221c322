#include "launch/verbs/summary.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <vector>

#include "data/support/error.h"
#include "launch/verbs/run_start.h"
#include "launch/verbs/terminal.h"
#include "monitors/recorder/typed_values.h"
#include "monitors/statistics/statistics.h"

namespace rim {
namespace {

constexpr const char* kArrow = " -> ";

class Summary {
 public:
  explicit Summary(const RunReader& run) : run_(run), names_(run.series_names()), last_(run.steps().size() - 1) {}

  [[nodiscard]] std::string text() const {
    return rates(".refused", "refusal") + rates(".complied", "complied") + rates(".off_topic", "off topic") +
           rates(".incoherent", "incoherent") + rates(".accuracy", "accuracy") + rates(".truncated", "cut short") +
           shifts();
  }

  // What the bounds of rates bound, where the record says so and says one thing only.
  [[nodiscard]] std::string interval() const {
    std::set<std::string> kinds;
    for (const std::string& name : names_) {
      const auto bounds = run_.has_series(name + ".low") ? scalar_series(run_, name) : std::nullopt;
      if (!bounds) continue;
      const auto kind = bounds->info.relations.find("interval");
      kinds.insert(kind == bounds->info.relations.end() ? "" : kind->second);
    }
    return kinds.size() == 1 ? *kinds.begin() : "";
  }

 private:
  [[nodiscard]] double at(const std::string& name, std::size_t index) const {
    const auto series = scalar_series(run_, name);
    return series ? series->values[index] : std::nan("");
  }

  // "97% [91, 99]"
  [[nodiscard]] std::string rate(const std::string& name, std::size_t index) const {
    const double value = at(name, index);
    if (std::isnan(value)) return "not measured";
    std::string text = fixed_number(100 * value, 0) + "%";
    const double low = at(name + ".low", index), high = at(name + ".high", index);
    if (std::isnan(low) || std::isnan(high)) return text;
    return text + " [" + fixed_number(100 * low, 0) + ", " + fixed_number(100 * high, 0) + "]";
  }

  // One line per series "<monitor>.<role>.<thinking><ending>".
  [[nodiscard]] std::string rates(const std::string& ending, const std::string& label) const {
    std::string text;
    for (const std::string& name : names_) {
      if (!name.ends_with(ending)) continue;
      const std::string stem = name.substr(0, name.size() - ending.size());
      const std::size_t mode = stem.rfind('.');
      const std::size_t role = mode == std::string::npos || mode == 0 ? mode : stem.rfind('.', mode - 1);
      if (role == std::string::npos || !scalar_series(run_, name)) continue;
      const std::string monitor = stem.substr(0, role);
      const std::string what = (monitor == "behaviour" ? "" : monitor + ": ") + label + " " +
                               stem.substr(role + 1, mode - role - 1) + ", thinking " + stem.substr(mode + 1);
      text += line(what, last_ == 0 ? rate(name, 0) : rate(name, 0) + kArrow + rate(name, last_));
    }
    return text;
  }

  [[nodiscard]] std::string shifts() const {
    std::string text;
    for (const std::string& name : names_) {
      const std::string ending = ".safety";
      if (!name.ends_with(ending)) continue;
      const std::string stem = name.substr(0, name.size() - ending.size());
      const auto controls = block_series(run_, stem + ".control");
      if (controls && scalar_series(run_, name) && scalar_series(run_, stem + ".p")) text += shift(stem, *controls);
    }
    return text;
  }

  [[nodiscard]] std::string shift(const std::string& stem, const SeriesData& draws) const {
    const std::size_t width = draws.values.size() / static_cast<std::size_t>(draws.shape.front());
    const ControlSpread controls = control_spread(std::span(draws.values).subspan(last_ * width, width));
    return line("RAS at the end (" + stem + ")",
                "safety-critical " + short_number(at(stem + ".safety", last_), 3) + ", control median " +
                    short_number(controls.median, 3) + " [" + short_number(controls.low, 3) + ", " +
                    short_number(controls.high, 3) + "] (5-95% of " + std::to_string(controls.draws) + " draws), p " +
                    short_number(at(stem + ".p", last_), 3));
  }

  // Names come from the file: they may hold anything.
  static std::string line(const std::string& name, const std::string& value) {
    constexpr std::size_t kLabelWidth = 34;
    const std::string label = printable(name);
    return "  " + label + std::string(label.size() < kLabelWidth ? kLabelWidth - label.size() : 1, ' ') + value + "\n";
  }

  const RunReader& run_;
  std::vector<std::string> names_;
  std::size_t last_;
};

// A record may begin later than the base model, and may hold one observation only.
std::string span_in_words(const std::vector<std::int64_t>& steps) {
  const std::string first = steps.front() == 0 ? "base" : "step " + grouped(steps.front());
  return steps.size() == 1 ? first : first + kArrow + "step " + grouped(steps.back());
}

}  // namespace

std::string run_summary(const std::filesystem::path& run_folder) {
  const RunPaths paths(run_folder);
  const RunReader run(paths.record);
  const std::vector<std::int64_t> steps = run.steps();
  if (steps.empty()) throw Error(ExitCode::bad_data, paths.record.string() + ": no observation is recorded yet");
  const Summary summary(run);
  const std::string interval = summary.interval();
  std::string text = printable(run_folder.string()) + ": " + span_in_words(steps) +
                     (interval.empty() ? "" : ", rates with their " + printable(interval)) + "\n";
  const std::string found = summary.text();
  text += found.empty() ? "  the run had no monitor of behaviour or neurons\n" : found;
  text += "  record  " + printable(paths.record.string()) + "\n";
  if (std::filesystem::exists(paths.report)) text += "  report  " + printable(paths.report.string()) + "\n";
  return text;
}

}  // namespace rim
