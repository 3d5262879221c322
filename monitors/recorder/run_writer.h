// Writes one run.h5: its frame once, then row after row. Recorder decides when and under which name.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "monitors/recorder/array_dataset.h"
#include "monitors/recorder/run_file.h"

namespace rim::hdf5 {

struct StaticBlock {
  std::variant<Array, std::vector<std::string>> values;
  SeriesInfo info;
};

// A new file that holds the frame: head, empty groups, the series step, tokens and time, no committed step.
File create_run_file(const std::filesystem::path& path, const RunHead& head);
void write_provenance(const File& file, const Provenance& provenance);
// Notes a resumption after `last_step`: the facts that differ from those of the start, the configuration among them.
void write_resumption(const File& file, const Provenance& provenance, std::int64_t last_step);

// Copies provenance, arrays (but those named in `replaced`) and the first `rows` rows of every series.
void copy_run(const File& source, const File& target, const std::vector<std::int64_t>& steps,
              const std::map<std::string, StaticBlock>& replaced);
// `rows` empty rows are there already.
void add_series(const File& file, const std::string& name, const RowLayout& row, const SeriesInfo& info,
                std::size_t rows);
void add_static(const File& file, const std::string& name, const StaticBlock& block);
std::map<std::string, RowLayout> series_layouts(const File& file);

// Row `index` of every series; those that `row` lacks keep their fill value there. Not committed yet.
void write_observation(const File& file, std::size_t index, const std::map<std::string, Array>& row);
// Makes that row count.
void mark_committed(const File& file, std::size_t index, std::int64_t step);

}  // namespace rim::hdf5
