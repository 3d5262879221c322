// A RecordSink that keeps what monitors write, for tests.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "monitors/core/monitor.h"

namespace rim {

class RecordingSink : public RecordSink {
 public:
  void append(const std::string& name, const Array& row, const SeriesInfo& info) override {
    if (!series.emplace(name, row).second) throw std::logic_error(name + " was appended twice");
    describe(name, info, row.shape.size());
  }
  void write_static(const std::string& name, const Array& values, const SeriesInfo& info) override {
    statics[name] = values;
    describe(name, info, values.shape.size());
  }
  void write_static(const std::string& name, const std::vector<std::string>& values, const SeriesInfo& info) override {
    strings[name] = values;
    describe(name, info, 1);
  }

  [[nodiscard]] double scalar(const std::string& name) const {
    return std::get<std::vector<double>>(series.at(name).values).at(0);
  }
  template <typename Value>
  [[nodiscard]] std::vector<Value> row(const std::string& name) const {
    return std::get<std::vector<Value>>(series.at(name).values);
  }
  template <typename Value>
  [[nodiscard]] std::vector<Value> static_values(const std::string& name) const {
    return std::get<std::vector<Value>>(statics.at(name).values);
  }

  std::map<std::string, Array> series, statics;
  std::map<std::string, std::vector<std::string>> strings;
  std::map<std::string, SeriesInfo> infos;

 private:
  // Everything in run.h5 must say what it is and name its axes.
  void describe(const std::string& name, const SeriesInfo& info, std::size_t dimensions) {
    if (info.long_name.empty() || info.definition.empty()) throw std::logic_error(name + " is not described");
    if (info.dimensions.size() != dimensions) throw std::logic_error(name + " does not name its axes");
    infos[name] = info;
  }
};

}  // namespace rim
