#include <algorithm>
#include <cmath>

#include "monitors/report/behaviour_series.h"
#include "monitors/report/sections.h"

namespace rim::report {
namespace {

std::string count_in_words(const BehaviourFamily& family) {
  const std::int64_t prompts = family.modes.front().prompts;
  return prompts > 0 ? " n = " + std::to_string(prompts) + " prompts per point." : "";
}

std::string chart_id(const std::string& kind, const BehaviourFamily& family) {
  return kind + "-" + family.monitor + "-" + family.set + "-" + family.what;
}

LineChart chart_of(const RunReader& run, const BehaviourFamily& family, const std::string& kind) {
  LineChart chart{.id = chart_id(kind, family), .x_label = "step", .y_label = "", .x = step_axis(run), .curves = {}};
  for (const ModeSeries& mode : family.modes) {
    chart.curves.push_back(
        {family.series(mode), mode_label(mode.mode), mode_style(mode.mode), mode.data.values, mode.low, mode.high});
  }
  return chart;
}

std::string render(const std::string& title, const LineChart& chart, const std::string& caption) {
  const bool drawn = std::ranges::any_of(chart.curves, [](const Curve& curve) {
    return std::ranges::any_of(curve.values, [](double value) { return std::isfinite(value); });
  });
  return drawn ? render_figure(title, chart, caption) : render_absence(title, "it is undefined (NaN) at every step.");
}

// Whether harmless requests were complied with says nothing that refusals do not say.
bool is_shown(const BehaviourFamily& family) { return family.set != "harmless" || family.what == "refused"; }

}  // namespace

std::vector<double> step_axis(const RunReader& run) {
  const std::vector<std::int64_t> steps = run.steps();
  return {steps.begin(), steps.end()};
}

Section behaviour_section(const RunReader& run) {
  Section section{"behaviour", "Behaviour", "What the model does, by greedy generation at every checkpoint.", {}};
  for (const BehaviourFamily& family : find_rates(run)) {
    if (!is_shown(family)) continue;
    LineChart chart = chart_of(run, family, "rate");
    chart.y_label = family.what == "accuracy" ? "share correct" : "share of requests";
    chart.form = NumberForm::percent;
    chart.unit_range = true;
    section.blocks.push_back(render(title_of(family), chart,
                                    "Share with its 95% Wilson interval." + count_in_words(family) +
                                        " Rule: " + family.modes.front().data.info.definition + "."));
  }
  return section;
}

Section score_section(const RunReader& run) {
  Section section{"scores",
                  "Strength of refusal",
                  "Refusal as a matter of degree: it moves before the rate does, and where the rate hardly can.",
                  {}};
  for (const BehaviourFamily& family : find_scores(run)) {
    LineChart chart = chart_of(run, family, "score");
    chart.y_label = family.modes.front().data.info.units;
    section.blocks.push_back(render(
        title_of(family), chart,
        "Mean over prompts." + count_in_words(family) + " Score: " + family.modes.front().data.info.definition + "."));
  }
  return section;
}

}  // namespace rim::report
