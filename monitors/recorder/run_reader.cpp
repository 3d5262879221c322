#include "monitors/recorder/run_reader.h"

#include <charconv>

#include "monitors/recorder/array_dataset.h"
#include "monitors/recorder/hdf5_text.h"
#include "monitors/recorder/run_file.h"

namespace rim {
namespace {

// 0 for text that is no number.
std::int64_t whole_number(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

using hdf5::Handle;

struct RunReader::Implementation {
  explicit Implementation(const std::filesystem::path& path)
      : file(hdf5::File::open_for_reading(path)),
        head(hdf5::read_head(file)),
        steps(hdf5::read_committed_steps(file)),
        series(hdf5::open_group(file, file.id(), hdf5::kSeriesGroup)),
        statics(hdf5::open_group(file, file.id(), hdf5::kStaticGroup)) {}

  [[nodiscard]] SeriesData read(const Handle& group, const std::string& name, std::int64_t rows) const {
    const Handle dataset = hdf5::open_dataset(file, group.id(), name);
    Array array = hdf5::read_as_double(file, dataset.id(), rows);
    return {std::move(array.shape), std::get<std::vector<double>>(std::move(array.values)),
            hdf5::read_series_info(file, dataset.id())};
  }

  hdf5::File file;
  hdf5::RunHead head;
  std::vector<std::int64_t> steps;
  Handle series;
  Handle statics;
};

RunReader::RunReader(const std::filesystem::path& path) : implementation_(std::make_unique<Implementation>(path)) {}
RunReader::~RunReader() = default;

std::vector<std::int64_t> RunReader::steps() const { return implementation_->steps; }

std::vector<std::string> RunReader::series_names() const {
  return hdf5::names_in(implementation_->file, implementation_->series.id());
}

bool RunReader::has_series(const std::string& name) const {
  return hdf5::has_member(implementation_->file, implementation_->series.id(), name);
}

SeriesData RunReader::series(const std::string& name) const {
  SeriesData data =
      implementation_->read(implementation_->series, name, static_cast<std::int64_t>(implementation_->steps.size()));
  std::vector<std::string>& dimensions = data.info.dimensions;
  if (!dimensions.empty()) dimensions.erase(dimensions.begin());  // "step", which every series has
  return data;
}

std::vector<std::string> RunReader::static_names() const {
  return hdf5::names_in(implementation_->file, implementation_->statics.id());
}

SeriesData RunReader::static_array(const std::string& name) const {
  return implementation_->read(implementation_->statics, name, -1);
}

std::vector<std::string> RunReader::static_strings(const std::string& name) const {
  const Handle dataset = hdf5::open_dataset(implementation_->file, implementation_->statics.id(), name);
  return hdf5::read_text_dataset(implementation_->file, dataset.id());
}

std::map<std::string, std::string> RunReader::provenance() const {
  std::map<std::string, std::string> result = hdf5::read_facts(implementation_->file);
  result["run_id"] = implementation_->head.run_id;
  result["created"] = implementation_->head.created;
  return result;
}

std::vector<RunResumption> RunReader::resumptions() const {
  const hdf5::File& file = implementation_->file;
  if (!hdf5::has_member(file, file.id(), hdf5::kResumptionsGroup)) return {};
  const Handle all = hdf5::open_group(file, file.id(), hdf5::kResumptionsGroup);
  std::map<int, RunResumption> numbered;  // by number: "10" comes after "9"
  for (const std::string& name : hdf5::names_in(file, all.id())) {
    RunResumption resumption;
    resumption.facts = hdf5::read_facts(file, hdf5::open_group(file, all.id(), name));
    resumption.after_step = whole_number(resumption.facts["after_step"]);
    resumption.facts.erase("after_step");
    numbered[static_cast<int>(whole_number(name))] = std::move(resumption);
  }
  std::vector<RunResumption> resumptions;
  for (auto& [number, resumption] : numbered) resumptions.push_back(std::move(resumption));
  return resumptions;
}

}  // namespace rim
