#include "monitors/report/behaviour_series.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>
#include <tuple>

#include "monitors/recorder/typed_values.h"
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
constexpr std::array kWhats{"refused", "complied", "off_topic", "incoherent", "accuracy"};
constexpr std::array kModes{"on", "off", "empty"};

constexpr std::uint64_t kBootstrapSeed = 1;  // the same page from the same file

// From [steps, prompts]: of each step, how many values are not NaN, and the interval of their mean.
void add_prompts(const SeriesData& by_prompt, ModeSeries& mode) {
  mode.prompts = by_prompt.shape[1];
  mode.interval = "95% bootstrap interval over prompts";
  const auto width = static_cast<std::size_t>(by_prompt.shape[1]);
  for (std::size_t row = 0; row < static_cast<std::size_t>(by_prompt.shape[0]); ++row) {
    const auto values = std::span(by_prompt.values).subspan(row * width, width);
    mode.present.push_back(std::ssize(without_nan(values)));
    const Interval interval = bootstrap_mean_interval(values, kBootstrapSeed);
    mode.low.push_back(interval.low);
    mode.high.push_back(interval.high);
  }
}

std::string relation_of(const SeriesInfo& info, const std::string& name) {
  const auto found = info.relations.find(name);
  return found == info.relations.end() ? "" : found->second;
}

std::int64_t prompts_behind(const RunReader& run, const NameParts& parts) {
  const std::string prefix = parts.monitor + "." + parts.set + "." + parts.mode + ".";
  for (const char* by_prompt : {"verdict", "correct"}) {
    const auto data = block_series(run, prefix + by_prompt);
    if (data && data->shape.size() == 2) return data->shape[1];
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
    const auto rate = scalar_series(run, name), low = scalar_series(run, name + ".low"),
               high = scalar_series(run, name + ".high");
    if (!rate || !low || !high) return std::nullopt;
    return ModeSeries{.mode = parts.mode,
                      .data = *rate,
                      .low = low->values,
                      .high = high->values,
                      .prompts = prompts_behind(run, parts),
                      .present = {},
                      .interval = relation_of(rate->info, "interval")};
  });
}

std::vector<BehaviourFamily> find_scores(const RunReader& run) {
  return find_families(run, [&](const std::string& name, const NameParts& parts) -> std::optional<ModeSeries> {
    const auto mean = scalar_series(run, name + ".mean");
    if (!mean) return std::nullopt;
    ModeSeries mode{
        .mode = parts.mode, .data = *mean, .low = {}, .high = {}, .prompts = 0, .present = {}, .interval = ""};
    const auto by_prompt = block_series(run, name);
    if (by_prompt && by_prompt->shape.size() == 2) {
      add_prompts(*by_prompt, mode);
      mode.data.info.definition = by_prompt->info.definition;
    }
    return mode;
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
  } else if (family.what == "off_topic") {
    title += ": off-topic answers";
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
