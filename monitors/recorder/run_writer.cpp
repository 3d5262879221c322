#include "monitors/recorder/run_writer.h"

#include <hdf5_hl.h>

#include "data/support/sha256.h"
#include "monitors/recorder/hdf5_text.h"

namespace rim::hdf5 {
namespace {

Handle make_group(const File& file, hid_t parent, const std::string& name) {
  return file.own(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose,
                  "make group " + name);
}

void write_fact(const File& file, hid_t group, const std::string& name, const std::string& text) {
  write_text_dataset(file, group, name, {text}, true);
}

// The configuration is a fact like the others: a run may be resumed with another one.
std::map<std::string, std::string> all_facts(const Provenance& provenance) {
  std::map<std::string, std::string> facts = provenance.facts;
  facts["config"] = provenance.config;
  facts["config_sha256"] = sha256_hex(provenance.config);
  return facts;
}

void describe(const File& file, hid_t dataset, const SeriesInfo& info) {
  write_series_info(file, dataset, info);
  for (unsigned axis = 0; axis < info.dimensions.size(); ++axis) {
    file.check(H5DSset_label(dataset, axis, info.dimensions[axis].c_str()), "label the axes of " + info.long_name);
  }
}

void copy_object(const File& file, hid_t from, hid_t to, const std::string& name) {
  file.check(H5Ocopy(from, name.c_str(), to, name.c_str(), H5P_DEFAULT, H5P_DEFAULT), "copy " + name);
}

void copy_series(const File& source, const File& target, hid_t source_group, const std::string& name,
                 std::size_t rows) {
  const Handle from = open_dataset(source, source_group, name);
  const Handle group = open_group(target, target.id(), kSeriesGroup);
  if (!has_member(target, group.id(), name)) {
    SeriesInfo info = read_series_info(source, from.id());
    if (!info.dimensions.empty()) info.dimensions.erase(info.dimensions.begin());
    add_series(target, name, layout_of(source, from.id()), info, 0);
  }
  const Handle to = open_dataset(target, group.id(), name);
  resize_series(target, to.id(), rows);
  copy_rows(source, from.id(), target, to.id(), rows);
}

}  // namespace

File create_run_file(const std::filesystem::path& path, const RunHead& head) {
  File file = File::create(path);
  write_head(file, head);
  const Handle series = make_group(file, file.id(), kSeriesGroup);
  make_group(file, file.id(), kStaticGroup);
  const RowLayout integers{2, {}};
  const Handle step = create_series(file, series.id(), kStepSeries, integers);
  describe(file, step.id(), {"optimizer step", "1", "optimizer steps done; 0 is the base model", {"step"}});
  file.check(H5DSset_scale(step.id(), "step"), "make the step axis");
  add_series(file, kTokensSeries, integers,
             {"tokens seen in training",
              "1",
              "tokens of all samples of the steps so far, all ranks together; prompts count, padding does not",
              {}},
             0);
  add_series(file, kTimeSeries, {0, {}},
             {"time of the observation", "s", "seconds since 1970-01-01T00:00:00Z when the row was committed", {}}, 0);
  const Handle committed = create_series(file, file.id(), kCommittedSteps, integers);
  describe(file, committed.id(),
           {"committed steps", "1", "row i of every series is whole where this has an entry i", {"step"}});
  return file;
}

void write_provenance(const File& file, const Provenance& provenance) {
  const Handle group = make_group(file, file.id(), kProvenanceGroup);
  for (const auto& [name, text] : all_facts(provenance)) write_fact(file, group.id(), name, text);
}

void write_resumption(const File& file, const Provenance& provenance, std::int64_t last_step) {
  const bool is_first = !has_member(file, file.id(), kResumptionsGroup);
  const Handle all =
      is_first ? make_group(file, file.id(), kResumptionsGroup) : open_group(file, file.id(), kResumptionsGroup);
  const Handle own = make_group(file, all.id(), std::to_string(names_in(file, all.id()).size() + 1));
  write_fact(file, own.id(), "after_step", std::to_string(last_step));
  const std::map<std::string, std::string> first = read_facts(file);
  for (const auto& [name, text] : all_facts(provenance)) {
    const auto known = first.find(name);
    if (known == first.end() || known->second != text) write_fact(file, own.id(), name, text);
  }
}

void copy_run(const File& source, const File& target, const std::vector<std::int64_t>& steps,
              const std::map<std::string, StaticBlock>& replaced) {
  for (const char* name : {kProvenanceGroup, kResumptionsGroup}) {
    if (!has_member(source, source.id(), name)) continue;
    open_group(source, source.id(), name);  // refuses one that lies elsewhere
    copy_object(source, source.id(), target.id(), name);
  }
  const Handle arrays = open_group(source, source.id(), kStaticGroup);
  const Handle target_arrays = open_group(target, target.id(), kStaticGroup);
  for (const std::string& name : names_in(source, arrays.id())) {
    if (replaced.contains(name)) continue;
    open_dataset(source, arrays.id(), name);
    copy_object(source, arrays.id(), target_arrays.id(), name);
  }
  const Handle series = open_group(source, source.id(), kSeriesGroup);
  for (const std::string& name : names_in(source, series.id())) {
    copy_series(source, target, series.id(), name, steps.size());
  }
  for (std::size_t i = 0; i < steps.size(); ++i) mark_committed(target, i, steps[i]);
}

void add_series(const File& file, const std::string& name, const RowLayout& row, const SeriesInfo& info,
                std::size_t rows) {
  const Handle group = open_group(file, file.id(), kSeriesGroup);
  const Handle dataset = create_series(file, group.id(), name, row);
  SeriesInfo with_step = info;
  with_step.dimensions.insert(with_step.dimensions.begin(), "step");
  describe(file, dataset.id(), with_step);
  const Handle scale = open_dataset(file, group.id(), kStepSeries);
  file.check(H5DSattach_scale(dataset.id(), scale.id(), 0), "attach the step axis to " + name);
  resize_series(file, dataset.id(), rows);
}

void add_static(const File& file, const std::string& name, const StaticBlock& block) {
  const Handle group = open_group(file, file.id(), kStaticGroup);
  const Array* numbers = std::get_if<Array>(&block.values);
  const Handle dataset =
      numbers != nullptr ? write_array(file, group.id(), name, *numbers)
                         : write_text_dataset(file, group.id(), name, std::get<std::vector<std::string>>(block.values));
  // No labels as series have: HDF5 keeps them as text of variable length, which copy_run must not meet (hdf5_text.h).
  write_series_info(file, dataset.id(), block.info);
}

std::map<std::string, RowLayout> series_layouts(const File& file) {
  const Handle group = open_group(file, file.id(), kSeriesGroup);
  std::map<std::string, RowLayout> layouts;
  for (const std::string& name : names_in(file, group.id())) {
    layouts[name] = layout_of(file, open_dataset(file, group.id(), name).id());
  }
  return layouts;
}

void write_observation(const File& file, std::size_t index, const std::map<std::string, Array>& row) {
  const Handle group = open_group(file, file.id(), kSeriesGroup);
  for (const std::string& name : names_in(file, group.id())) {
    const Handle dataset = open_dataset(file, group.id(), name);
    resize_series(file, dataset.id(), index + 1);
    if (const auto values = row.find(name); values != row.end()) {
      write_row(file, dataset.id(), index, values->second);
    }
  }
}

void mark_committed(const File& file, std::size_t index, std::int64_t step) {
  const Handle dataset = open_dataset(file, file.id(), kCommittedSteps);
  resize_series(file, dataset.id(), index + 1);
  write_row(file, dataset.id(), index, {{}, std::vector<std::int64_t>{step}});
}

}  // namespace rim::hdf5
