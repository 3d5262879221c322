#include "monitors/report/behaviour_series.h"
#include "monitors/report/html.h"
#include "monitors/report/sections.h"

namespace rim::report {
namespace {

std::string interval(const ModeSeries& mode, std::size_t row) {
  return to_text(mode.data.values[row], NumberForm::percent) + " [" + to_text(mode.low[row], NumberForm::percent) +
         ", " + to_text(mode.high[row], NumberForm::percent) + "]";
}

Table headline_table(const RunReader& run) {
  Table table{{"Quantity", "Mode", "First", "Last", "n", "Interval"}, {}};
  for (const BehaviourFamily& family : find_rates(run)) {
    for (const ModeSeries& mode : family.modes) {
      if (mode.data.values.empty()) continue;
      table.rows.push_back(
          {title_of(family), mode_label(mode.mode), interval(mode, 0), interval(mode, mode.data.values.size() - 1),
           mode.prompts > 0 ? std::to_string(mode.prompts) : "–", mode.interval.empty() ? "not named" : mode.interval});
    }
  }
  return table;
}

}  // namespace

Section facts_section(const RunReader& run) {
  Section section{"facts", "Run facts", "", {}};
  if (const Table table = headline_table(run); !table.rows.empty()) {
    section.blocks.push_back(
        wide_card("First and last observation", element("div", {{"class", "scroll"}}, render_table(table))));
  }
  Table facts{{"Fact", "Value"}, {}};
  std::string config;
  for (const auto& [name, text] : run.provenance()) {
    if (name == "config") {
      config = text;
    } else {
      facts.rows.push_back({name, text});
    }
  }
  if (const std::string sittings = sittings_card(run); !sittings.empty()) section.blocks.push_back(sittings);
  section.blocks.push_back(wide_card("Provenance", element("div", {{"class", "scroll facts"}}, render_table(facts))));
  if (!config.empty()) {
    section.blocks.push_back(wide_card("Configuration", element("details", {},
                                                                text_element("summary", {}, "As the run resolved it") +
                                                                    text_element("pre", {}, config))));
  }
  return section;
}

}  // namespace rim::report
