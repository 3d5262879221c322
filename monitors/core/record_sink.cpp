#include "monitors/core/record_sink.h"

#include "data/support/error.h"

namespace rim {

void ObservationSink::claim(const std::string& name) {
  if (!written_.insert(name).second) {
    throw Error(ExitCode::config, "two monitors record '" + name + "': give one of them another 'name'");
  }
}

void ObservationSink::append(const std::string& name, const Array& row, const SeriesInfo& info) {
  claim(name);
  if (recorder_ != nullptr) recorder_->append(name, row, info);
}

void ObservationSink::write_static(const std::string& name, const Array& values, const SeriesInfo& info) {
  claim("static " + name);
  if (recorder_ != nullptr) recorder_->write_static(name, values, info);
}

void ObservationSink::write_static(const std::string& name, const std::vector<std::string>& values,
                                   const SeriesInfo& info) {
  claim("static " + name);
  if (recorder_ != nullptr) recorder_->write_static(name, values, info);
}

}  // namespace rim
