// What the page shows, one function per section. Each reads what it needs and leaves out what was not recorded.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "monitors/recorder/run_reader.h"
#include "monitors/report/figure.h"
#include "monitors/report/step_chart.h"

namespace rim::report {

Section behaviour_section(const RunReader& run);
Section score_section(const RunReader& run);
Section entanglement_section(const RunReader& run);
Section neuron_section(const RunReader& run);
// From log.jsonl in the folder. Lines that cannot be read are counted in the caption.
// `marks`: as in LineChart.
Section training_section(const std::filesystem::path& run_folder, const std::vector<double>& marks);
Section facts_section(const RunReader& run);
// The series that `page`, the sections before this one, does not draw: another monitor's must not be invisible.
Section other_section(const RunReader& run, const std::string& page);

// Every call of the trainer on this run: hosts, and what changed. Empty where it was never resumed.
std::string sittings_card(const RunReader& run);

// The cards at the top of the page: base -> end.
std::string headline_cards(const RunReader& run);

}  // namespace rim::report
