#include "monitors/report/behaviour_series.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>
#include <tuple>

#include "monitors/report/monitor_names.h"
#include "monitors/statistics/statistics.h"

namespace rim::report {
namespace {

struct NameParts {
  std::string monitor, set, mode, what;
};

// From the right: the monitor's own name may hold dots.
std::optional<NameParts> split_name(std::string name) {
  std::array<std::string, 3> parts;
  for (std::string& part : parts) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string::npos) return std::nullopt;
    part = name.substr(dot + 1);
    name.resize(dot);
  }
  return NameParts{name, parts[2], parts[1], parts[0]};
}

template <std::size_t Size>
std::size_t rank_in(const std::array<const char*, Size>& order, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(order, name) - order.begin());
}

constexpr std::array kSets{"harmful", "harmless", "task"};
constexpr std::array kWhats{"refused", "complied", "incoherent", "accuracy"};
constexpr std::array kModes{"on", "off", "empty"};

bool has_values(const SeriesData& data) { return data.shape.size() == 1; }

// [steps, prompts]: how many of each step's values are not NaN.
std::vector<std::int64_t> present_per_step(const SeriesData& by_prompt) {
  const auto width = static_cast<std::size_t>(by_prompt.shape[1]);
  std::vector<std::int64_t> counts;
  for (std::size_t row = 0; row < static_cast<std::size_t>(by_prompt.shape[0]); ++row) {
    counts.push_back(std::ssize(without_nan(std::span(by_prompt.values).subspan(row * width, width))));
  }
  return counts;
}

std::int64_t prompts_behind(const RunReader& run, const NameParts& parts) {
  const std::string prefix = parts.monitor + "." + parts.set + "." + parts.mode + ".";
  for (const char* by_prompt : {"verdict", "correct"}) {
    if (!run.has_series(prefix + by_prompt)) continue;
    const SeriesData data = run.series(prefix + by_prompt);
    if (data.shape.size() == 2) return data.shape[1];
  }
  return 0;
}

// Families in drawing order. `keep` reads the series of one name, or says that it is none of this kind.
template <typename Keep>
std::vector<BehaviourFamily> find_families(const RunReader& run, const Keep& keep) {
  using Key = std::tuple<std::string, bool, std::size_t, std::string, std::size_t, std::string>;
  std::map<Key, BehaviourFamily> families;
  for (const std::string& name : run.series_names()) {
    const std::optional<NameParts> parts = split_name(name);
    if (!parts) continue;
    std::optional<ModeSeries> mode = keep(name, *parts);
    if (!mode) continue;
    BehaviourFamily& family = families[{parts->monitor, parts->what == "truncated", rank_in(kSets, parts->set),
                                        parts->set, rank_in(kWhats, parts->what), parts->what}];
    family.monitor = parts->monitor;
    family.set = parts->set;
    family.what = parts->what;
    family.modes.push_back(std::move(*mode));
  }
  std::vector<BehaviourFamily> result;
  for (auto& [key, family] : families) {
    std::ranges::stable_sort(family.modes, {}, [](const ModeSeries& mode) { return rank_in(kModes, mode.mode); });
    result.push_back(std::move(family));
  }
  return result;
}

std::string capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

}  // namespace

std::string BehaviourFamily::series(const ModeSeries& mode) const {
  return monitor + "." + set + "." + mode.mode + "." + what;
}

std::vector<BehaviourFamily> find_rates(const RunReader& run) {
  return find_families(run, [&](const std::string& name, const NameParts& parts) -> std::optional<ModeSeries> {
    if (!run.has_series(name + ".low") || !run.has_series(name + ".high")) return std::nullopt;
    ModeSeries mode{parts.mode,
                    run.series(name),
                    run.series(name + ".low").values,
                    run.series(name + ".high").values,
                    prompts_behind(run, parts),
                    {}};
    const bool whole = has_values(mode.data) && mode.low.size() == mode.data.values.size() &&
                       mode.high.size() == mode.data.values.size();
    return whole ? std::optional(std::move(mode)) : std::nullopt;
  });
}

std::vector<BehaviourFamily> find_scores(const RunReader& run) {
  return find_families(run, [&](const std::string& name, const NameParts& parts) -> std::optional<ModeSeries> {
    if (!run.has_series(name + ".mean")) return std::nullopt;
    const SeriesData by_prompt = run.series(name);
    ModeSeries mode{parts.mode, run.series(name + ".mean"), {}, {}, 0, {}};
    if (by_prompt.shape.size() == 2) {
      mode.prompts = by_prompt.shape[1];
      mode.present = present_per_step(by_prompt);
    }
    mode.data.info.definition = by_prompt.info.definition + "; " + mode.data.info.definition;
    return has_values(mode.data) ? std::optional(std::move(mode)) : std::nullopt;
  });
}

std::string title_of(const BehaviourFamily& family) {
  const bool requests = family.set == "harmful" || family.set == "harmless";
  std::string title = capitalised(family.set) + (requests ? " requests" : "");
  if (family.what == "refused") {
    title += " refused";
  } else if (family.what == "complied") {
    title += " complied with";
  } else if (family.what == "incoherent") {
    title += ": incoherent answers";
  } else if (family.what == "truncated") {
    title += ": cut responses";
  } else if (family.what == "refusal_score") {
    title += ": refusal-token score";
  } else if (family.what == "log_likelihood_gap") {
    title += ": log-likelihood gap";
  } else {
    title += " " + family.what;
  }
  return titled(title, family.monitor, "behaviour");
}

std::string mode_label(const std::string& mode) {
  if (mode == "on" || mode == "off") return "thinking " + mode;
  return mode == "empty" ? "empty think span" : mode;
}

CurveStyle mode_style(const std::string& mode) {
  if (mode == "on") return CurveStyle::orange;
  if (mode == "off") return CurveStyle::blue;
  return mode == "empty" ? CurveStyle::green : CurveStyle::purple;
}

}  // namespace rim::report
