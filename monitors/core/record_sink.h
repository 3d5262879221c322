// RecordSink over a Recorder, or over nothing.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "monitors/core/monitor.h"

namespace rim {

// One observation's sink. `recorder` null: what is given is checked, and dropped. Throws Error(config) where two
// monitors write the same series (they would overwrite each other), on every rank alike.
class ObservationSink : public RecordSink {
 public:
  explicit ObservationSink(Recorder* recorder) : recorder_(recorder) {}
  void append(const std::string& name, const Array& row, const SeriesInfo& info) override;
  void write_static(const std::string& name, const Array& values, const SeriesInfo& info) override;
  void write_static(const std::string& name, const std::vector<std::string>& values, const SeriesInfo& info) override;

 private:
  void claim(const std::string& name);
  Recorder* recorder_;
  std::set<std::string> written_;
};

}  // namespace rim
