// Reads run.h5 back, for the report and for tools. Numbers come as double whatever their stored dtype.
//
// Sees the rows that were committed when it was made. May run beside a Recorder of another process; within one process
// HDF5 lets no file be open twice in different modes, so a reader must be gone before its Recorder commits. Not
// thread-safe. Every member throws Error(bad_data) where the file is damaged, holds another type than asked for, or
// leads out of itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "monitors/recorder/recorder.h"

namespace rim {

struct SeriesData {
  std::vector<std::int64_t> shape;  // [committed rows, ...]
  std::vector<double> values;
  SeriesInfo info;
};

// One call of the trainer that went on with the run.
struct RunResumption {
  std::int64_t after_step = 0;
  std::map<std::string, std::string> facts;  // those that differ from the start's, `config` among them
};

class RunReader {
 public:
  // Throws Error(no_input), or Error(bad_data) for a file that is not a run of a known format version.
  explicit RunReader(const std::filesystem::path& path);
  ~RunReader();
  [[nodiscard]] std::vector<std::int64_t> steps() const;  // committed ones
  [[nodiscard]] std::vector<std::string> series_names() const;
  [[nodiscard]] bool has_series(const std::string& name) const;
  [[nodiscard]] SeriesData series(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> static_names() const;
  [[nodiscard]] SeriesData static_array(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> static_strings(const std::string& name) const;
  [[nodiscard]] std::map<std::string, std::string> provenance() const;
  [[nodiscard]] std::vector<RunResumption> resumptions() const;  // in their order

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace rim
