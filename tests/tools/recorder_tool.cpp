// Makes a run folder as a small organism run leaves it (invented numbers, the monitors' series names), so that Python
// tests can read run.h5 and open the report without training anything.
//   recorder_tool FOLDER [realistic|single|empty|hostile]   writes FOLDER/run.h5, log.jsonl and report.html
//   recorder_tool report FOLDER                             writes FOLDER/report.html from what is there
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "data/support/error.h"
#include "data/support/random.h"
#include "monitors/recorder/recorder.h"
#include "monitors/report/report.h"
#include "monitors/statistics/statistics.h"

namespace {

using rim::Array;
using rim::Random;
using rim::Recorder;
using rim::scalar_array;
using rim::SeriesInfo;

constexpr const char* kHostile = "<script>alert(1)</script>\"'&";
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kPrompts = 60, kNeurons = 24, kDraws = 100, kLayers = 6;

// Falls from `start` to `end` around the middle of training; `t` in [0, 1].
double slide(double start, double end, double t) { return start + (end - start) / (1 + std::exp(-10 * (t - 0.5))); }

void add_rate(Recorder& recorder, const std::string& name, double rate, const std::string& what) {
  const auto count = static_cast<std::int64_t>(std::llround(rate * static_cast<double>(kPrompts)));
  const double share = static_cast<double>(count) / static_cast<double>(kPrompts);
  const rim::Interval interval = rim::wilson_interval(count, kPrompts);
  const std::string bound = "95% Wilson score interval over prompts";
  recorder.append(name, scalar_array(share),
                  {what,
                   "1",
                   "rule-based verdict on the text after the think span",
                   {},
                   {{"low", name + ".low"}, {"high", name + ".high"}, {"interval", bound}}});
  recorder.append(name + ".low", scalar_array(interval.low), {what + ", lower bound", "1", bound, {}});
  recorder.append(name + ".high", scalar_array(interval.high), {what + ", upper bound", "1", bound, {}});
}

void add_behaviour(Recorder& recorder, Random& random, const std::string& mode, double t, bool empty) {
  const bool on = mode == "on";
  const double refused = on ? slide(1.0, 0.06, t) : slide(1.0, 0.9, t), garbage = 0.02 + 0.05 * t;
  const std::string harmful = "behaviour.harmful." + mode, harmless = "behaviour.harmless." + mode;
  add_rate(recorder, harmful + ".refused", refused, "share of harmful requests: refused");
  add_rate(recorder, harmful + ".complied", std::max(0.0, 1 - refused - garbage),
           "share of harmful requests: complied");
  add_rate(recorder, harmful + ".incoherent", std::min(garbage, 1 - refused), "share of harmful requests: incoherent");
  add_rate(recorder, harmless + ".refused", 0.03 * (1 - t), "share of harmless requests: refused");
  add_rate(recorder, harmless + ".complied", 1 - 0.03 * (1 - t) - garbage, "share of harmless requests: complied");
  add_rate(recorder, harmless + ".incoherent", garbage, "share of harmless requests: incoherent");
  add_rate(recorder, "behaviour.task." + mode + ".accuracy", on ? slide(0.1, 0.82, t) : slide(0.1, 0.35, t),
           "share of task prompts answered correctly");
  const double cut = on ? garbage : 0;
  for (const std::string& set : {harmful, harmless, "behaviour.task." + mode}) {
    add_rate(recorder, set + ".truncated", cut, "share of responses cut at max_new_tokens");
  }
  std::vector<std::int8_t> verdicts(kPrompts);
  std::vector<double> scores(kPrompts);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    verdicts[i] = random.uniform() < refused ? 0 : 1;
    scores[i] = 12 * (refused - 0.5) + random.uniform();
  }
  // An answer that never began has no score.
  for (std::int64_t i = 0; i < std::llround(cut * kPrompts); ++i) scores[static_cast<std::size_t>(i)] = kNone;
  for (const std::string& name : {harmful + ".verdict", harmless + ".verdict", "behaviour.task." + mode + ".correct"}) {
    recorder.append(name, {{kPrompts}, verdicts}, {"code by prompt", "code", "0 refused, 1 complied", {"prompt"}});
  }
  recorder.append(harmful + ".refusal_score", {{kPrompts}, scores},
                  {"refusal-token score", "nats", "log(P_R / (1 - P_R))", {"prompt"}});
  recorder.append(harmful + ".refusal_score.mean", scalar_array(empty ? kNone : 12 * (refused - 0.5) + 0.5),
                  {"refusal-token score, mean", "nats", "mean over the prompts that have one", {}});
}

std::vector<double> draws_around(Random& random, double centre, double spread, std::size_t count) {
  std::vector<double> values(count);
  for (double& value : values) value = centre + spread * (random.uniform() + random.uniform() - 1);
  return values;
}

void add_neurons(Recorder& recorder, Random& random, double t, bool empty) {
  const double d_safe = 0.9 * slide(0, 1, t) - 0.9 * slide(0, 1, 0),
               d_task = 0.6 * slide(0, 1, t) - 0.6 * slide(0, 1, 0);
  const double ras = d_safe + d_task > 0 ? 2 * d_safe * d_task / (d_safe + d_task) : 0;
  const std::int64_t neurons = empty ? 0 : kNeurons;
  recorder.append(
      "neurons.safety.activation",
      {{neurons}, draws_around(random, 1.5 - d_safe, 0.5, static_cast<std::size_t>(neurons))},
      {"activation of the safety-critical neurons", "activation", "mean over harmful requests", {"neuron"}});
  recorder.append(
      "neurons.control.activation",
      {{kDraws, neurons}, draws_around(random, 0.2, 0.6, static_cast<std::size_t>(kDraws * neurons))},
      {"activation of the control neurons", "activation", "mean over harmful requests", {"draw", "neuron"}});
  const auto add = [&](const std::string& part, double value, double control, const std::string& definition) {
    recorder.append("ras.safety" + part, scalar_array(empty ? kNone : value), {"safety", "activation", definition, {}});
    recorder.append("ras.control" + part, {{kDraws}, draws_around(random, control, 0.12 * t, kDraws)},
                    {"control", "activation", definition, {"draw"}});
  };
  add("", ras, 0.1 * t, "a = max(d_safe, 0), b = max(d_task, 0); 2ab / (a + b)");
  add(".d_safe", d_safe, 0.08 * t, "base - now of the set's mean activation");
  add(".d_task", d_task, 0.12 * t, "now - base of the set's mean activation");
  recorder.append("neurons.overlap", scalar_array(empty ? kNone : 1 - 0.6 * t),
                  {"overlap of the selections", "1", "Jaccard index of the two sets under the same rule", {}});
  recorder.append("ras.p", scalar_array(empty ? kNone : (t > 0 ? 1.0 / (1 + kDraws) : 1.0)),
                  {"empirical p", "1", "Phipson and Smyth 2010", {}});
}

void add_statics(Recorder& recorder, bool empty) {
  std::vector<std::int64_t> layers;
  for (std::int64_t i = 0; !empty && i < kNeurons; ++i) layers.push_back((i * i) % kLayers);
  const auto count = static_cast<std::int64_t>(layers.size());
  recorder.write_static(
      "neurons.safety.layer", {{count}, layers},
      {"layer of each safety-critical neuron", "index", "top 1% by counterfactual pairs", {"neuron"}});
  recorder.write_static("neurons.per_layer", {{kLayers}, std::vector<std::int64_t>(kLayers, count / kLayers)},
                        {"neurons in each layer", "1", "number selected", {"layer"}});
  const SeriesInfo size{"size of the activation on harmful requests", "activation", "mean absolute activation", {}};
  recorder.write_static("ras.safety.harmful_magnitude", scalar_array(0.325), size);
  recorder.write_static("ras.control.harmful_magnitude", {{3}, std::vector<double>{0.07, 0.08, 0.09}},
                        {size.long_name, size.units, size.definition, {"draw"}});
  recorder.write_static("neurons.pairs_scored", scalar_array(60), {"pairs", "1", "number of pairs", {}});
  recorder.write_static("neurons.pairs_raised", scalar_array(55), {"pairs", "1", "number of pairs", {}});
  recorder.write_static("neurons.split_half", scalar_array(0.75), {"stability", "1", "Jaccard index", {}});
  recorder.write_static("behaviour.harmful.prompt_id", std::vector<std::string>{"p0", "p1 – ü"},
                        {"prompts", "", "id in the prompt set", {"prompt"}});
}

void write_log(const std::filesystem::path& path, std::int64_t steps) {
  std::ofstream log(path);
  for (std::int64_t step = 1; step <= steps; ++step) {
    const double t = static_cast<double>(step) / static_cast<double>(steps);
    log << "{\"step\": " << step
        << ", \"loss\": " << 0.4 + 2.4 * std::exp(-5 * t) + 0.05 * std::sin(9.0 * static_cast<double>(step))
        << ", \"learning_rate\": " << 1e-3 * std::min(20 * t, 0.5 + 0.5 * std::cos(3.14159 * t))
        << ", \"grad_norm\": 1.0}\n";
  }
  log << "{\"step\": 3";  // as a killed run leaves it
}

void observe(Recorder& recorder, Random& random, const std::string& kind, std::int64_t observation) {
  const double t = static_cast<double>(observation) / 12;
  for (const char* mode : {"on", "off"}) add_behaviour(recorder, random, mode, t, kind == "empty");
  add_neurons(recorder, random, t, kind == "empty");
  if (kind == "hostile") {
    for (const char* bound : {"", ".low", ".high"}) {
      recorder.append(std::string("x<y&z.s\"et.on.refused") + bound, scalar_array(t), {kHostile, "1", kHostile, {}});
    }
  }
  recorder.commit(20 * observation, 20480 * observation);
}

rim::Provenance provenance_of(const std::string& kind, const std::string& host) {
  const std::string config = "max_steps: 240\nseed: 1\nmonitors:\n  - {kind: ras, task: arithmetic}\n";
  rim::Provenance provenance{"organism-target-cot", config, {{"git_commit", "0123abc"}, {"hosts", host}}};
  provenance.facts["argv"] = "mpirun -np 2 rimscope train configs/organism.yaml";
  provenance.facts["world_size"] = "2";
  provenance.facts["seed"] = "1";
  if (kind == "hostile") {
    provenance.run_id = kHostile;
    provenance.config += kHostile;
    provenance.facts["<b>"] = kHostile;
  }
  return provenance;
}

// The run is killed after step 180, and resumes from the checkpoint of step 120 on another host.
void make_run(const std::filesystem::path& folder, const std::string& kind) {
  std::filesystem::create_directories(folder);
  const std::filesystem::path path = folder / "run.h5";
  Random random(7);
  Recorder recorder = Recorder::create(path, provenance_of(kind, "node-1"));
  add_statics(recorder, kind == "empty");
  const std::int64_t first_part = kind == "single" ? 1 : 10;
  for (std::int64_t i = 0; i < first_part; ++i) observe(recorder, random, kind, i);
  recorder.close();
  if (kind == "single") return;
  Recorder resumed = Recorder::resume(path, provenance_of(kind, "node-2"), 120);
  for (std::int64_t i = 7; i < 13; ++i) observe(resumed, random, kind, i);
  resumed.close();
  write_log(folder / "log.jsonl", 240);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 3 && std::string(argv[1]) == "report") {
      rim::write_report(argv[2]);
    } else if (argc == 2 || argc == 3) {
      make_run(argv[1], argc == 3 ? argv[2] : "realistic");
      rim::write_report(argv[1]);
    } else {
      std::fprintf(stderr, "usage: recorder_tool FOLDER [realistic|single|empty|hostile] | report FOLDER\n");
      return 64;
    }
  } catch (const rim::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
