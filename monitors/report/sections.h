// What the page shows, one function per section. Each reads what it needs and leaves out what was not recorded.
#pragma once

#include <filesystem>

#include "monitors/recorder/run_reader.h"
#include "monitors/report/figure.h"

namespace rim::report {

Section behaviour_section(const RunReader& run);
Section score_section(const RunReader& run);
Section entanglement_section(const RunReader& run);
Section neuron_section(const RunReader& run);
// From log.jsonl in the folder. Lines that cannot be read are counted in the caption.
Section training_section(const std::filesystem::path& run_folder);
Section facts_section(const RunReader& run);

// The cards at the top of the page: base -> end.
std::string headline_cards(const RunReader& run);

// The committed steps as the x axis of charts.
std::vector<double> step_axis(const RunReader& run);

}  // namespace rim::report
