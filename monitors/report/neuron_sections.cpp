#include <algorithm>
#include <cmath>
#include <optional>

#include "monitors/recorder/typed_values.h"
#include "monitors/report/control_band.h"
#include "monitors/report/html.h"
#include "monitors/report/monitor_names.h"
#include "monitors/report/numbers.h"
#include "monitors/report/prose.h"
#include "monitors/report/sections.h"
#include "monitors/statistics/statistics.h"

namespace rim::report {
namespace {

struct Comparison {
  std::string id, title, y_label, safety, control, caption;
};

// The safety-critical set over the band of its controls. Without controls a number means nothing, and is not drawn.
std::string compare(const RunReader& run, const Comparison& names) {
  if (!run.has_series(names.safety)) return render_absence(names.title, "it was not recorded.");
  if (!run.has_series(names.control)) return render_absence(names.title, "no control draws were recorded beside it.");
  const SeriesData safety = run.series(names.safety);
  const std::vector<double> values = mean_per_step(safety);
  if (!has_numbers(values)) return render_absence(names.title, "it is undefined at every step (an empty neuron set?).");
  const std::optional<SeriesData> control = block_series(run, names.control);
  if (!control) return render_absence(names.title, "its control draws are empty.");
  LineChart chart = step_chart(run, names.id, names.y_label);
  chart.curves.push_back(control_band(names.control, *control));
  chart.curves.push_back({names.safety, "safety-critical neurons", CurveStyle::orange, values, {}, {}});
  return render_figure(names.title, chart, names.caption + " " + sentence(safety.info.definition));
}

std::string p_in_words(const RunReader& run, const std::string& name) {
  const std::optional<SeriesData> p = scalar_series(run, name);
  if (!p || !std::isfinite(p->values.back())) return "";
  return "At the last step p = " + to_text(p->values.back()) + " against the control draws. ";
}

// Selection prefers neurons with large activations, and large ones move further for any reason.
std::string size_in_words(const RunReader& run, const std::string& monitor) {
  const auto own = static_numbers(run, monitor + ".safety.harmful_magnitude");
  const auto drawn = static_numbers(run, monitor + ".control.harmful_magnitude");
  if (!own || !drawn || !run.has_series(monitor + ".safety")) return "";
  const double size = mean(own->values), control_size = control_spread(drawn->values).median;
  if (!std::isfinite(size) || !std::isfinite(control_size)) return "";
  const bool scaled = run.series(monitor + ".safety").info.units == "1";
  return " In the base model the mean |activation| on harmful requests was " + to_text(size) +
         " in the safety-critical neurons and " + to_text(control_size) + " in the controls (median of the draws); " +
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
                        size_in_words(run, monitor) + " Formula:"}));
  for (const auto& [part, title] : {std::pair("d_safe", "Activation lost on harmful requests"),
                                    std::pair("d_task", "Activation gained on the task")}) {
    const std::string name = std::string(".") + part;
    if (!run.has_series(safety + name)) continue;
    section.blocks.push_back(compare(run, {monitor + "-" + part, titled(title, monitor, "ras"), part, safety + name,
                                           control + name, "One of the two parts of RAS:"}));
  }
}

std::string overlap_figure(const RunReader& run, const std::string& monitor, const SeriesData& overlap) {
  const std::string title = titled("Overlap with the base model's selection", monitor, "neurons");
  if (!has_numbers(overlap.values)) return render_absence(title, "it is undefined at every step (empty neuron sets?).");
  LineChart chart = step_chart(run, monitor + "-overlap", "Jaccard index");
  chart.unit_range = true;
  chart.curves.push_back({monitor + ".overlap", "overlap", CurveStyle::orange, overlap.values, {}, {}});
  return render_figure(title, chart,
                       "1 where the same rule selects the same neurons as in the base model. Rule: " +
                           sentence(overlap.info.definition));
}

// Whether the instruction does what the selection takes it to do.
std::string refusal_in_words(const RunReader& run, const std::string& monitor) {
  const auto raised = static_numbers(run, monitor + ".pairs_raised");
  const auto scored = static_numbers(run, monitor + ".pairs_scored");
  if (!raised || !scored) return "";
  const double share = raised->values.front() / scored->values.front();
  const std::string count = to_text(raised->values.front()) + " of " + to_text(scored->values.front()) + " pairs";
  if (!(scored->values.front() > 0))
    return " Whether the instruction makes the model refuse is not known: no answer began at once.";
  if (share < 0.5) {
    return " Warning: the instruction raised the refusal score in only " + count +
           ", so these neurons may have little to do with refusing.";
  }
  return " The instruction raised the refusal score in " + count + ".";
}

std::string split_half_in_words(const RunReader& run, const std::string& monitor) {
  const std::optional<SeriesData> overlap = static_numbers(run, monitor + ".split_half");
  if (!overlap || !std::isfinite(overlap->values.front())) return "";
  return " Selected from the even and from the odd pairs alone, the sets overlap by " +
         to_text(overlap->values.front()) + " (Jaccard index).";
}

std::string layers_figure(const RunReader& run, const std::string& monitor) {
  const std::string series = monitor + ".safety.layer",
                    title = titled("Safety-critical neurons by layer", monitor, "neurons");
  const std::optional<SeriesData> layers = static_numbers(run, series);
  if (!layers) return render_absence(title, "no neuron was selected.");
  constexpr std::size_t kMostLayers = 4096;
  const auto indices = as_indices(layers->values, kMostLayers);
  if (!indices) return render_absence(title, "a layer's number is beyond reason.");
  std::size_t count = std::ranges::max(*indices) + 1;
  if (const auto per_layer = static_numbers(run, monitor + ".per_layer")) {
    count = std::max(count, std::min(per_layer->values.size(), kMostLayers));
  }
  BarChart chart{monitor + "-layers", series, "layer", "neurons", std::vector<double>(count, 0)};
  for (const std::size_t layer : *indices) ++chart.values[layer];
  return render_figure(title, chart,
                       "Selected in the base model, n = " + std::to_string(indices->size()) +
                           " in all. Rule: " + sentence(layers->info.definition) + split_half_in_words(run, monitor) +
                           refusal_in_words(run, monitor));
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
                  "Neurons that are more active where an instruction to refuse follows the request, found once in the "
                  "base model.",
                  {}};
  for (const std::string& monitor : monitors_with(run.static_names(), ".safety.layer")) {
    section.blocks.push_back(layers_figure(run, monitor));
    if (const auto overlap = scalar_series(run, monitor + ".overlap")) {
      section.blocks.push_back(overlap_figure(run, monitor, *overlap));
    }
    const std::string safety = monitor + ".safety.activation";
    if (!run.has_series(safety)) continue;
    section.blocks.push_back(compare(
        run, {monitor + "-activation", titled("Activation on harmful requests", monitor, "neurons"), "activation",
              safety, monitor + ".control.activation", "The set's neurons averaged; of each neuron the"}));
  }
  return section;
}

}  // namespace rim::report
