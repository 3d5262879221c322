// A pluggable watcher. It never runs the model itself and never changes it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/support/options.h"
#include "monitors/core/probe.h"
#include "monitors/recorder/recorder.h"
#include "trainer/model/model_config.h"
#include "trainer/model/safetensors.h"

namespace rim {

// Where a monitor puts its numbers: run.h5 on rank 0, nowhere on the others.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual void append(const std::string& name, const Array& row, const SeriesInfo& info) = 0;
  virtual void write_static(const std::string& name, const Array& values, const SeriesInfo& info) = 0;
  virtual void write_static(const std::string& name, const std::vector<std::string>& values,
                            const SeriesInfo& info) = 0;
};

// What monitors share within one observation: results by monitor name, so that RAS can use the neurons that the neurons
// monitor selected. Monitors run in the order of the configuration.
class SharedTensors {
 public:
  void put(const std::string& name, at::Tensor value) { values_[name] = std::move(value); }
  // Throws Error(config) "<who> needs '<name>', which monitor ... provides: list it before" where it is missing.
  [[nodiscard]] const at::Tensor& get(const std::string& name, const std::string& who) const;

 private:
  TensorMap values_;
};

struct Observation {
  std::int64_t step = 0;
  const ProbeResults& results;
  SharedTensors& shared;
  RecordSink& sink;
  std::vector<std::string>& headlines;  // one short line each, shown to the user
};

// Constructed, declared and observed on every rank alike; same inputs, same state everywhere.
class Monitor {
 public:
  virtual ~Monitor() = default;
  // What the coming observation needs, on a plan that holds the prompt sets and what monitors before this one declared.
  // Called before every observation, and once before load_state(): what is measured in the base model alone, or of what
  // was selected there, is asked for when it is needed. Handles hold for one observation. Throws Error(config).
  virtual void declare(ProbePlan& plan) = 0;
  virtual void observe(Observation& observation) = 0;
  // What it remembers from the base model, and the options that this was measured with (base_conditions.h); saved in
  // checkpoints under "<monitor index>.<key>".
  [[nodiscard]] virtual TensorMap state() const { return {}; }
  virtual void load_state(const TensorMap&) {}
};

struct MonitorContext {
  const ModelConfig& model;
  std::uint64_t seed = 1;
};

// One kind of monitor: its options (validated before make is called, defaults filled in) and how to build it.
struct MonitorKind {
  std::string kind;
  std::string help;
  std::vector<OptionSpec> options;
  std::function<std::unique_ptr<Monitor>(const Json& options, const MonitorContext& context)> make;
};

class MonitorRegistry {
 public:
  void add(MonitorKind kind);  // throws Error(software) for a kind that is there already
  [[nodiscard]] const std::vector<MonitorKind>& kinds() const { return kinds_; }
  // Throws Error(config) naming the kinds there are.
  [[nodiscard]] std::unique_ptr<Monitor> make(const std::string& kind, const Json& options,
                                              const MonitorContext& context) const;

 private:
  std::vector<MonitorKind> kinds_;
};

}  // namespace rim
