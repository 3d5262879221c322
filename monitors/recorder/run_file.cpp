#include "monitors/recorder/run_file.h"

#include <algorithm>
#include <array>

#include "data/support/error.h"
#include "monitors/recorder/array_dataset.h"
#include "monitors/recorder/hdf5_text.h"

namespace rim::hdf5 {
namespace {

constexpr std::array kRelations{"low", "high", "interval", "null", "mean"};

std::string first_or_empty(const std::vector<std::string>& texts) { return texts.empty() ? "" : texts.front(); }

bool has_our_format(const File& file) {
  try {
    return first_or_empty(read_text_attribute(file, file.id(), "format")) == kFormat;
  } catch (const Error&) {  // an attribute of that name, of another type
    return false;
  }
}

std::int64_t read_version(const File& file) {
  if (file.check(H5Aexists(file.id(), "format_version"), "look for its version") == 0) return 0;
  const Handle attribute = file.own(H5Aopen(file.id(), "format_version", H5P_DEFAULT), H5Aclose, "read its version");
  const Handle space = file.own(H5Aget_space(attribute.id()), H5Sclose, "read its version");
  if (H5Sget_simple_extent_npoints(space.id()) != 1) return 0;
  std::int64_t version = 0;
  file.check(H5Aread(attribute.id(), H5T_NATIVE_INT64, &version), "read its version");
  return version;
}

void require_own_object(const File& file, hid_t parent, const std::string& name) {
  H5L_info_t link{};
  if (H5Lget_info(parent, name.c_str(), &link, H5P_DEFAULT) < 0) file.refuse("has no '" + name + "'");
  if (link.type != H5L_TYPE_HARD) file.refuse("'" + name + "' is a link to elsewhere, which is not followed");
}

void require_own_values(const File& file, hid_t dataset, const std::string& name) {
  const Handle properties = file.own(H5Dget_create_plist(dataset), H5Pclose, "read " + name);
  const H5D_layout_t layout = H5Pget_layout(properties.id());
  const bool known = layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED;
  if (!known || H5Pget_external_count(properties.id()) != 0) {
    file.refuse("'" + name + "' keeps its values in another file, which is not followed");
  }
}

}  // namespace

void write_head(const File& file, const RunHead& head) {
  write_text_attribute(file, file.id(), "format", kFormat);
  write_text_attribute(file, file.id(), "run_id", head.run_id);
  write_text_attribute(file, file.id(), "created", head.created);
  const Handle space = file.own(H5Screate(H5S_SCALAR), H5Sclose, "write its version");
  const Handle attribute =
      file.own(H5Acreate2(file.id(), "format_version", H5T_STD_I64LE, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
               "write its version");
  file.check(H5Awrite(attribute.id(), H5T_NATIVE_INT64, &kFormatVersion), "write its version");
}

RunHead read_head(const File& file) {
  if (!has_our_format(file)) file.refuse("is not a run recorded by RIMscope");
  if (const std::int64_t version = read_version(file); version != kFormatVersion) {
    file.refuse("has format version " + std::to_string(version) + ", and this RIMscope reads version " +
                std::to_string(kFormatVersion));
  }
  return {first_or_empty(read_text_attribute(file, file.id(), "run_id")),
          first_or_empty(read_text_attribute(file, file.id(), "created"))};
}

std::map<std::string, std::string> read_facts(const File& file) {
  return read_facts(file, open_group(file, file.id(), kProvenanceGroup));
}

std::map<std::string, std::string> read_facts(const File& file, const Handle& group) {
  std::map<std::string, std::string> facts;
  for (const std::string& name : names_in(file, group.id())) {
    const std::vector<std::string> texts = read_text_dataset(file, open_dataset(file, group.id(), name).id());
    if (texts.size() == 1) facts[name] = texts.front();
  }
  return facts;
}

void write_series_info(const File& file, hid_t object, const SeriesInfo& info) {
  write_text_attribute(file, object, "long_name", info.long_name);
  write_text_attribute(file, object, "units", info.units);
  write_text_attribute(file, object, "definition", info.definition);
  write_text_list_attribute(file, object, "dimensions", info.dimensions);
  for (const auto& [relation, to] : info.relations) {
    if (std::ranges::find(kRelations, relation) == kRelations.end()) {
      throw Error(ExitCode::software, "run.h5 knows no relation '" + relation + "' of series");
    }
    write_text_attribute(file, object, relation, to);
  }
}

SeriesInfo read_series_info(const File& file, hid_t object) {
  SeriesInfo info{first_or_empty(read_text_attribute(file, object, "long_name")),
                  first_or_empty(read_text_attribute(file, object, "units")),
                  first_or_empty(read_text_attribute(file, object, "definition")),
                  read_text_attribute(file, object, "dimensions")};
  for (const char* relation : kRelations) {
    const std::string to = first_or_empty(read_text_attribute(file, object, relation));
    if (!to.empty()) info.relations[relation] = to;
  }
  return info;
}

std::vector<std::int64_t> read_committed_steps(const File& file) {
  const Handle dataset = open_dataset(file, file.id(), kCommittedSteps);
  if (layout_of(file, dataset.id()) != RowLayout{2, {}}) file.refuse("'committed_steps' is not a list of int64");
  const Array list = read_as_double(file, dataset.id());  // steps are far below 2^53
  std::vector<std::int64_t> steps;
  for (const double step : std::get<std::vector<double>>(list.values)) {
    constexpr double kLast = 9e15;
    if (!(step >= -1 && step <= kLast)) file.refuse("'committed_steps' holds what is no step");
    steps.push_back(static_cast<std::int64_t>(step));
  }
  // The fill value -1 at the end: lengthened, and killed before the step was written.
  if (!steps.empty() && steps.back() == -1) steps.pop_back();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i] < 0 || (i > 0 && steps[i] <= steps[i - 1])) file.refuse("'committed_steps' does not rise");
  }
  return steps;
}

Handle open_group(const File& file, hid_t parent, const std::string& name) {
  require_own_object(file, parent, name);
  return file.own(H5Gopen2(parent, name.c_str(), H5P_DEFAULT), H5Gclose, "open group " + name);
}

Handle open_dataset(const File& file, hid_t parent, const std::string& name) {
  require_own_object(file, parent, name);
  Handle dataset = file.own(H5Dopen2(parent, name.c_str(), H5P_DEFAULT), H5Dclose, "open " + name);
  require_own_values(file, dataset.id(), name);
  return dataset;
}

std::vector<std::string> names_in(const File& file, hid_t group) {
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5L_info_t*, void* to) -> herr_t {
    static_cast<std::vector<std::string>*>(to)->emplace_back(name);
    return 0;
  };
  file.check(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names), "list a group");
  return names;
}

bool has_member(const File& file, hid_t group, const std::string& name) {
  return file.check(H5Lexists(group, name.c_str(), H5P_DEFAULT), "look for " + name) > 0;
}

}  // namespace rim::hdf5
