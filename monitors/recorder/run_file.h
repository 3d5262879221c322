// What a reader and a writer of run.h5 share: its names, its head, and careful ways into it (docs/hdf5-schema.md).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "monitors/recorder/hdf5_handle.h"
#include "monitors/recorder/recorder.h"

namespace rim::hdf5 {

inline constexpr const char* kFormat = "rimscope-run";
inline constexpr std::int64_t kFormatVersion = 1;
inline constexpr const char* kSeriesGroup = "series";
inline constexpr const char* kStaticGroup = "static";
inline constexpr const char* kProvenanceGroup = "provenance";
inline constexpr const char* kResumptionsGroup = "resumptions";
inline constexpr const char* kCommittedSteps = "committed_steps";
inline constexpr const char* kStepSeries = "step";
inline constexpr const char* kTokensSeries = "tokens";
inline constexpr const char* kTimeSeries = "time";

struct RunHead {
  std::string run_id;
  std::string created;  // ISO 8601, UTC
};
void write_head(const File& file, const RunHead& head);
// Error(bad_data) for a file of another format, or of a version that is not known here.
RunHead read_head(const File& file);

// The texts in /provenance, by name.
std::map<std::string, std::string> read_facts(const File& file);
// The same of another group of texts.
std::map<std::string, std::string> read_facts(const File& file, const Handle& group);

void write_series_info(const File& file, hid_t object, const SeriesInfo& info);
SeriesInfo read_series_info(const File& file, hid_t object);

// The steps whose rows are whole, rising. Error(bad_data) where they are not.
std::vector<std::int64_t> read_committed_steps(const File& file);

// Objects that lie in this very file: a link out of it, or a dataset whose values lie in another file, is an
// Error(bad_data), because a run.h5 may come from somebody else.
Handle open_group(const File& file, hid_t parent, const std::string& name);
Handle open_dataset(const File& file, hid_t parent, const std::string& name);
// Sorted by name.
std::vector<std::string> names_in(const File& file, hid_t group);
bool has_member(const File& file, hid_t group, const std::string& name);

}  // namespace rim::hdf5
