#include <algorithm>
#include <cmath>

#include "monitors/recorder/typed_values.h"
#include "monitors/report/behaviour_series.h"
#include "monitors/report/control_band.h"
#include "monitors/report/html.h"
#include "monitors/report/monitor_names.h"
#include "monitors/report/sections.h"

namespace rim::report {
namespace {

std::string change(const std::vector<double>& values) {
  const std::string now = text_element("span", {{"class", "now"}}, to_text(values.back(), NumberForm::percent));
  if (values.size() == 1) return now;
  return text_element("span", {{"class", "base"}}, to_text(values.front(), NumberForm::percent)) +
         element("span", {{"class", "arrow"}, {"aria-label", "to"}}, "→") + now;
}

std::string card(const std::string& title, const std::string& markup, const std::string& note) {
  return element("div", {{"class", "headline"}},
                 text_element("h3", {}, title) + markup + text_element("p", {{"class", "note"}}, note));
}

// ", up to 12% of responses cut", of all modes at the last step; empty where none was.
std::string cut_in_words(const std::vector<BehaviourFamily>& rates, const BehaviourFamily& family) {
  double most = 0;
  for (const BehaviourFamily& rate : rates) {
    if (rate.monitor != family.monitor || rate.set != family.set || rate.what != "truncated") continue;
    for (const ModeSeries& mode : rate.modes) {
      if (!mode.data.values.empty() && mode.data.values.back() > most) most = mode.data.values.back();
    }
  }
  return most > 0 ? ", up to " + to_text(most, NumberForm::percent) + " of responses cut" : "";
}

// A record may begin later than the base model, and may hold one observation only.
std::string span_in_words(const std::vector<std::int64_t>& steps) {
  const std::string first = steps.front() == 0 ? "base" : "step " + std::to_string(steps.front());
  return steps.size() == 1 ? first : first + " → end";
}

std::string rate_card(const BehaviourFamily& family, const std::string& span, const std::string& remark) {
  std::string rows;
  for (const ModeSeries& mode : family.modes) {
    if (mode.data.values.empty()) continue;
    rows += element("div", {{"class", "row"}},
                    text_element("span", {{"class", "mode"}}, mode_label(mode.mode)) +
                        element("span", {{"class", "change"}}, change(mode.data.values)) +
                        draw_sparkline(mode.data.values, {0, 1}, mode_style(mode.mode)));
  }
  const std::int64_t prompts = family.modes.front().prompts;
  return card(title_of(family), rows,
              span + (prompts > 0 ? ", n = " + std::to_string(prompts) + " prompts" : std::string()) + remark);
}

// A harmful request that is no longer refused may be complied with or answered with broken text: both need to be seen.
bool is_headline(const BehaviourFamily& family) {
  return family.what == "refused" || family.what == "accuracy" ||
         (family.set == "harmful" && family.what == "complied");
}

// RAS at the last step beside its controls; empty without them.
std::string ras_card(const RunReader& run, const std::string& monitor) {
  const std::string safety = monitor + ".safety", control = monitor + ".control";
  const auto draws = block_series(run, control);
  if (!run.has_series(safety) || !draws) return "";
  const std::vector<double> values = mean_per_step(run.series(safety));
  const Curve band = control_band(control, *draws);
  if (!std::isfinite(values.back()) || !std::isfinite(band.values.back())) return "";
  const auto row = [](const std::string& label, double value, const std::vector<double>& all, CurveStyle style,
                      const Range& range) {
    return element(
        "div", {{"class", "row"}},
        text_element("span", {{"class", "mode"}}, label) +
            element("span", {{"class", "change"}}, text_element("span", {{"class", "now"}}, to_text(value))) +
            draw_sparkline(all, range, style));
  };
  const Range range = range_of({values, band.values});
  std::string note = std::to_string(draws_in(*draws)) + " control draws, last step";
  const auto p = scalar_series(run, monitor + ".p");
  if (p && std::isfinite(p->values.back())) note = "p = " + to_text(p->values.back()) + " against " + note;
  return card(titled("Reciprocal Activation Shift", monitor, "ras"),
              row("safety neurons", values.back(), values, CurveStyle::orange, range) +
                  row("control median", band.values.back(), band.values, CurveStyle::control, range),
              note);
}

}  // namespace

std::string headline_cards(const RunReader& run) {
  if (run.steps().empty()) return "";
  std::string cards;
  const std::vector<BehaviourFamily> rates = find_rates(run);
  for (const BehaviourFamily& family : rates) {
    if (is_headline(family)) cards += rate_card(family, span_in_words(run.steps()), cut_in_words(rates, family));
  }
  for (const std::string& monitor : monitors_with(run.series_names(), ".safety.d_safe")) {
    cards += ras_card(run, monitor);
  }
  return cards.empty() ? "" : element("div", {{"class", "headlines"}}, cards);
}

}  // namespace rim::report
