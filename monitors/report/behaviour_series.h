// Finds the behaviour series of a run by their names, <monitor>.<prompt set>.<thinking mode>.<what>, so that monitors,
// sets and modes with any names are drawn.
#pragma once

#include <string>
#include <vector>

#include "monitors/recorder/run_reader.h"
#include "monitors/report/chart.h"

namespace rim::report {

// One quantity in one thinking mode. `low` and `high` are empty where no interval was recorded.
struct ModeSeries {
  std::string mode;
  SeriesData data;
  std::vector<double> low, high;
  std::int64_t prompts = 0;           // asked at each step; 0: not recorded
  std::vector<std::int64_t> present;  // of these with a value, by step; empty: all
  std::string interval;               // what `low` and `high` bound; empty: the file does not say
};

// The same quantity in all modes.
struct BehaviourFamily {
  std::string monitor, set, what;
  std::vector<ModeSeries> modes;  // on, off, empty, others
  [[nodiscard]] std::string series(const ModeSeries& mode) const;
};

// Rates: what has bounds beside it, <name>.low and <name>.high. Harmful sets first, then harmless ones, then tasks;
// how much was cut comes after all of these.
std::vector<BehaviourFamily> find_rates(const RunReader& run);
// Mean scores: <name>.mean beside <name>, with the bootstrap interval of the mean over prompts.
std::vector<BehaviourFamily> find_scores(const RunReader& run);

// "Harmful requests refused".
std::string title_of(const BehaviourFamily& family);
// "thinking on".
std::string mode_label(const std::string& mode);
CurveStyle mode_style(const std::string& mode);

}  // namespace rim::report
