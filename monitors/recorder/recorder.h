// Writes run.h5: append-only, self-describing, readable by h5py alone. The layout is docs/hdf5-schema.md.
//
// One observation is a row: append() each series, then commit(step). Readers trust only rows that /committed_steps
// names, so a run killed at any time loses at most the row being written. Between commits the file is closed. Not
// collective: only rank 0 holds a Recorder. Not thread-safe: HDF5's own state is shared by the whole process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace rim {

// A block of numbers in row-major order; `shape` is empty for a scalar.
struct Array {
  using Values =
      std::variant<std::vector<double>, std::vector<float>, std::vector<std::int64_t>, std::vector<std::int8_t>>;
  std::vector<std::int64_t> shape;
  Values values;
};
Array scalar_array(double value);

// What a reader must know to use a series; written as attributes.
struct SeriesInfo {
  std::string long_name;                // "share of harmful requests refused"
  std::string units;                    // "1", "nats", "activation"
  std::string definition;               // formula or rule, with its source
  std::vector<std::string> dimensions;  // names after the step axis, e.g. {"draw", "neuron"}
  // What stands beside it, so that readers need not guess by names. `low`, `high`: the series with its bounds, and
  // `interval` of what kind these are; `null`: the series with the same number for control draws; `mean`: that with the
  // mean over the last axis. Error(software) for another key.
  std::map<std::string, std::string> relations = {};
};

struct Provenance {
  std::string run_id;
  std::string config;                        // resolved configuration as text
  std::map<std::string, std::string> facts;  // git_commit, versions, hosts, argv, world_size, seeds, ...
};

class Recorder {
 public:
  // Starts the file anew, replacing an earlier run's. Throws Error(bad_data) where something else lies there,
  // Error(input_output) where it cannot be written.
  static Recorder create(const std::filesystem::path& path, const Provenance& provenance);
  // The same, but cut_back() or the first write does it: a run that cannot begin after all leaves what lies there.
  static Recorder create_later(const std::filesystem::path& path, const Provenance& provenance);
  // Goes on with the file of the same run_id and drops every row that is not committed or whose step is above
  // `last_step` (a resumed run repeats those). Throws Error(no_input) where there is none, Error(bad_data) for a
  // foreign or damaged one, Error(input_output) as create() does. The file is read and checked here, and changed by
  // cut_back() or the first write: a run that cannot be resumed after all leaves it as it was.
  static Recorder resume(const std::filesystem::path& path, const Provenance& provenance, std::int64_t last_step);
  // The same in a new file `path`, for a run that goes on in another folder: `origin` stays as it is.
  static Recorder continue_from(const std::filesystem::path& origin, const std::filesystem::path& path,
                                const Provenance& provenance, std::int64_t last_step);
  ~Recorder();
  Recorder(Recorder&&) noexcept;
  Recorder& operator=(Recorder&&) noexcept;

  // Does to the file what create_later(), resume() or continue_from() said, where it has not been done. Throws
  // Error(input_output).
  void cut_back();

  // "/series/<name>": one row of the current observation. The first call fixes dtype and shape; a series that misses
  // an observation holds NaN (-1 for integers) there. Throws Error(software) for another dtype or shape than before,
  // and where info.dimensions does not name each axis.
  void append(const std::string& name, const Array& row, const SeriesInfo& info);
  // "/static/<name>": written once, e.g. the selected neurons, by the next commit() or close(); writing the same name
  // again replaces it. It costs a copy of the file.
  void write_static(const std::string& name, const Array& values, const SeriesInfo& info);
  void write_static(const std::string& name, const std::vector<std::string>& values, const SeriesInfo& info);
  // Ends the observation: step, tokens and time rows, flush, then the step into /committed_steps, flush.
  // Throws Error(input_output), the earlier rows unharmed; Error(software) for a step not above the last one.
  void commit(std::int64_t step, std::int64_t tokens);

  [[nodiscard]] std::vector<std::int64_t> committed_steps() const;
  // Writes static arrays given since the last commit; an observation that was not committed is dropped.
  void close();

 private:
  struct Implementation;
  explicit Recorder(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace rim
