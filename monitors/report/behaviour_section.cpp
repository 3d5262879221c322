#include <algorithm>

#include "monitors/report/behaviour_series.h"
#include "monitors/report/numbers.h"
#include "monitors/report/prose.h"
#include "monitors/report/sections.h"

namespace rim::report {
namespace {

// Over all modes and steps; a score has no value where the answer never began.
std::string count_in_words(const BehaviourFamily& family) {
  const std::int64_t prompts = family.modes.front().prompts;
  if (prompts <= 0) return "";
  std::int64_t fewest = prompts, most = 0;
  for (const ModeSeries& mode : family.modes) {
    for (const std::int64_t count : mode.present) {
      fewest = std::min(fewest, count);
      most = std::max(most, count);
    }
  }
  const std::string all = std::to_string(prompts) + " prompts";
  if (fewest == prompts) return " n = " + all + " per point.";
  const std::string range = fewest == most ? std::to_string(most) : std::to_string(fewest) + "–" + std::to_string(most);
  return " n = " + range + " of " + all + " per point: those whose answer began, not always the same ones.";
}

std::string interval_in_words(const BehaviourFamily& family) {
  const ModeSeries& mode = family.modes.front();
  if (mode.low.empty()) return "no interval";
  return mode.interval.empty() ? "its recorded bounds" : "its " + mode.interval;
}

std::string chart_id(const std::string& kind, const BehaviourFamily& family) {
  return kind + "-" + family.monitor + "-" + family.set + "-" + family.what;
}

LineChart chart_of(const RunReader& run, const BehaviourFamily& family, const std::string& kind) {
  LineChart chart = step_chart(run, chart_id(kind, family), "");
  for (const ModeSeries& mode : family.modes) {
    chart.curves.push_back(
        {family.series(mode), mode_label(mode.mode), mode_style(mode.mode), mode.data.values, mode.low, mode.high});
  }
  return chart;
}

std::string render(const std::string& title, const LineChart& chart, const std::string& caption) {
  const bool drawn = std::ranges::any_of(chart.curves, [](const Curve& curve) { return has_numbers(curve.values); });
  return drawn ? render_figure(title, chart, caption) : render_absence(title, "it is undefined (NaN) at every step.");
}

// What of the harmless requests is neither refused nor incoherent was complied with.
bool is_shown(const BehaviourFamily& family) { return family.set != "harmless" || family.what != "complied"; }

std::string y_label_of(const BehaviourFamily& family) {
  if (family.what == "accuracy") return "share correct";
  return family.what == "truncated" ? "share of responses" : "share of requests";
}

// What is measured; the modes of a family differ in nothing else than the thinking that their definitions end in.
std::string rule_of(const BehaviourFamily& family) {
  const ModeSeries& first = family.modes.front();
  std::string rule = first.data.info.definition;
  const std::string own = ", thinking " + first.mode;
  if (family.modes.size() > 1 && rule.ends_with(own)) {
    rule.replace(rule.size() - own.size(), own.size(), ", thinking as the curves are named");
  }
  return rule;
}

}  // namespace

Section behaviour_section(const RunReader& run) {
  Section section{"behaviour", "Behaviour", "What the model does, by greedy generation at every checkpoint.", {}};
  for (const BehaviourFamily& family : find_rates(run)) {
    if (!is_shown(family)) continue;
    LineChart chart = chart_of(run, family, "rate");
    chart.y_label = y_label_of(family);
    chart.form = NumberForm::percent;
    chart.unit_range = true;
    section.blocks.push_back(render(title_of(family), chart,
                                    "Share with " + interval_in_words(family) + "." + count_in_words(family) +
                                        " Rule: " + sentence(rule_of(family))));
  }
  return section;
}

Section score_section(const RunReader& run) {
  Section section{"scores",
                  "Strength of refusal",
                  "Refusal as a matter of degree: it can move where the rate is 0% or 100% and cannot.",
                  {}};
  for (const BehaviourFamily& family : find_scores(run)) {
    LineChart chart = chart_of(run, family, "score");
    chart.y_label = family.modes.front().data.info.units;
    section.blocks.push_back(render(title_of(family), chart,
                                    "Mean over the prompts that have a score, with " + interval_in_words(family) + "." +
                                        count_in_words(family) + " Score: " + sentence(rule_of(family))));
  }
  return section;
}

}  // namespace rim::report
