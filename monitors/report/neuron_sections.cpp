#include <algorithm>
#include <cmath>
#include <optional>

#include "monitors/report/control_band.h"
#include "monitors/report/html.h"
#include "monitors/report/monitor_names.h"
#include "monitors/report/sections.h"
#include "monitors/statistics/statistics.h"

namespace rim::report {
namespace {

bool has_numbers(const std::vector<double>& values) {
  return std::ranges::any_of(values, [](double value) { return std::isfinite(value); });
}

struct Comparison {
  std::string id, title, y_label, safety, control, caption;
};

// The safety-critical set over the band of its controls. Without controls a number means nothing, and is not drawn.
std::string compare(const RunReader& run, const Comparison& names) {
  if (!run.has_series(names.control)) return render_absence(names.title, "no control draws were recorded beside it.");
  const SeriesData safety = run.series(names.safety), control = run.series(names.control);
  const std::vector<double> values = mean_per_step(safety);
  if (!has_numbers(values)) return render_absence(names.title, "it is undefined at every step (an empty neuron set?).");
  if (draws_in(control) == 0) return render_absence(names.title, "its control draws are empty.");
  LineChart chart{.id = names.id, .x_label = "step", .y_label = names.y_label, .x = step_axis(run), .curves = {}};
  chart.curves.push_back(control_band(names.control, control));
  chart.curves.push_back({names.safety, "safety-critical neurons", CurveStyle::orange, values, {}, {}});
  return render_figure(names.title, chart, names.caption + " " + safety.info.definition + ".");
}

std::string p_in_words(const RunReader& run, const std::string& name) {
  if (!run.has_series(name)) return "";
  const SeriesData p = run.series(name);
  const bool known = p.shape.size() == 1 && !p.values.empty() && std::isfinite(p.values.back());
  return known ? "At the last step p = " + to_text(p.values.back()) + " against the control draws. " : "";
}

// Selection prefers neurons with large activations, and large ones move further for any reason.
std::string size_in_words(const RunReader& run, const std::string& monitor) {
  const std::string safety = monitor + ".safety.harmful_magnitude", control = monitor + ".control.harmful_magnitude";
  const std::vector<std::string> names = run.static_names();
  const auto has = [&](const std::string& name) { return std::ranges::find(names, name) != names.end(); };
  if (!has(safety) || !has(control)) return "";
  const double own = mean(run.static_array(safety).values);
  const double drawn = control_spread(run.static_array(control).values).median;
  if (!std::isfinite(own) || !std::isfinite(drawn)) return "";
  const bool scaled = run.series(monitor + ".safety").info.units == "1";
  return " In the base model the mean |activation| on harmful requests was " + to_text(own) +
         " in the safety-critical neurons and " + to_text(drawn) + " in the controls (median of the draws); " +
         (scaled ? "the shifts are over each set's own."
                 : "a set of larger neurons moves further for any reason, so a small p comes up more often than by "
                   "chance.");
}

void add_ras_figures(const RunReader& run, const std::string& monitor, Section& section) {
  const std::string safety = monitor + ".safety", control = monitor + ".control";
  section.blocks.push_back(
      compare(run, {monitor, titled("Reciprocal Activation Shift", monitor, "ras"), "RAS", safety, control,
                    p_in_words(run, monitor + ".p") +
                        "High where the same neurons lose activation on harmful requests "
                        "and gain it on the task." +
                        size_in_words(run, monitor)}));
  for (const auto& [part, title] : {std::pair("d_safe", "Activation lost on harmful requests"),
                                    std::pair("d_task", "Activation gained on the task")}) {
    const std::string name = std::string(".") + part;
    if (!run.has_series(safety + name)) continue;
    section.blocks.push_back(compare(run, {monitor + "-" + part, titled(title, monitor, "ras"), part, safety + name,
                                           control + name, "One of the two parts of RAS."}));
  }
}

std::string layers_figure(const RunReader& run, const std::string& monitor) {
  const std::string series = monitor + ".safety.layer",
                    title = titled("Safety-critical neurons by layer", monitor, "neurons");
  const SeriesData layers = run.static_array(series);
  if (layers.values.empty()) return render_absence(title, "no neuron was selected.");
  const std::string per_layer = monitor + ".per_layer";
  std::size_t count = static_cast<std::size_t>(std::max(0.0, std::ranges::max(layers.values))) + 1;
  if (const auto names = run.static_names(); std::ranges::find(names, per_layer) != names.end()) {
    count = std::max(count, run.static_array(per_layer).values.size());
  }
  constexpr std::size_t kMostLayers = 4096;
  if (count > kMostLayers) return render_absence(title, "a layer's number is beyond reason.");
  BarChart chart{monitor + "-layers", series, "layer", "neurons", std::vector<double>(count, 0)};
  for (const double layer : layers.values) {
    if (layer >= 0) ++chart.values[static_cast<std::size_t>(layer)];
  }
  return render_figure(title, chart,
                       "Selected in the base model, n = " + std::to_string(layers.values.size()) +
                           " in all. Rule: " + layers.info.definition + ".");
}

}  // namespace

Section entanglement_section(const RunReader& run) {
  Section section{"entanglement",
                  "Entanglement of safety and skill",
                  "Does training on the task take over the neurons that refuse?",
                  {}};
  for (const std::string& safety : monitors_with(run.series_names(), ".safety.d_safe")) {
    add_ras_figures(run, safety, section);
  }
  return section;
}

Section neuron_section(const RunReader& run) {
  Section section{"neurons",
                  "Safety-critical neurons",
                  "Neurons that are more active when the model is made to refuse, found once in the base model.",
                  {}};
  for (const std::string& monitor : monitors_with(run.static_names(), ".safety.layer")) {
    section.blocks.push_back(layers_figure(run, monitor));
    const std::string safety = monitor + ".safety.activation";
    if (!run.has_series(safety)) continue;
    section.blocks.push_back(
        compare(run, {monitor + "-activation", titled("Activation on harmful requests", monitor, "neurons"),
                      "activation", safety, monitor + ".control.activation", "Mean over the set's neurons."}));
  }
  return section;
}

}  // namespace rim::report
