#include "monitors/recorder/recorder.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "data/support/files.h"
#include "data/support/host.h"
#include "monitors/recorder/disk_room.h"
#include "monitors/recorder/run_writer.h"

namespace rim {
namespace {

using hdf5::File;
using hdf5::RowLayout;
using hdf5::RunHead;
using hdf5::StaticBlock;

constexpr std::size_t kSlack = std::size_t{1} << 16U;        // HDF5's own tables of a file
constexpr std::size_t kObjectBytes = std::size_t{1} << 13U;  // the same of a series or an array, its attributes too

double now_in_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::filesystem::path temporary_for(const std::filesystem::path& path) {
  std::filesystem::path temporary = path;
  temporary += ".partial";
  return temporary;
}

// Builds a file of about `bytes` through `fill(file)` beside `path` and puts it there in one step: a kill leaves the
// old file whole. The room is taken first: copying an object on a full disk crashes HDF5 1.10.
template <typename Fill>
void replace_file(const std::filesystem::path& path, const RunHead& head, std::size_t bytes, const Fill& fill) {
  const std::filesystem::path temporary = temporary_for(path);
  std::error_code failure;
  try {
    hdf5::create_run_file(temporary, head).close();
    hdf5::reserve_room(temporary, bytes);
    File file = File::open_for_writing(temporary);
    fill(file);
    file.flush_to_disk();
    file.close();
  } catch (...) {
    std::filesystem::remove(temporary, failure);
    throw;
  }
  std::filesystem::rename(temporary, path, failure);
  if (failure) throw Error(ExitCode::input_output, path.string() + ": cannot be replaced: " + failure.message());
  sync_path(path.has_parent_path() ? path.parent_path() : ".");
}

std::size_t bytes_of(const std::map<std::string, StaticBlock>& blocks) {
  std::size_t bytes = 0;
  for (const auto& [name, block] : blocks) {
    bytes += kObjectBytes;
    if (const Array* array = std::get_if<Array>(&block.values)) {
      bytes += hdf5::largest_growth(hdf5::layout_of(*array, name));
    } else {
      for (const std::string& text : std::get<std::vector<std::string>>(block.values)) bytes += text.size();
    }
  }
  return bytes;
}

void require_name(const std::string& name) {
  const bool good = !name.empty() && name != "." && name.find('/') == std::string::npos;
  if (!good) throw Error(ExitCode::software, "run.h5 cannot hold a series named '" + name + "'");
}

void require_axes(const std::string& name, const SeriesInfo& info, std::size_t axes) {
  if (info.dimensions.size() == axes) return;
  throw Error(ExitCode::software, "run.h5 series '" + name + "' names " + std::to_string(info.dimensions.size()) +
                                      " dimensions and has " + std::to_string(axes));
}

}  // namespace

Array scalar_array(double value) { return {{}, std::vector<double>{value}}; }

// Between commits the file is closed: nothing that happens while training can harm it. Rows and arrays wait here.
struct Recorder::Implementation {
  std::filesystem::path path;
  RunHead head;
  std::vector<std::int64_t> committed;
  std::map<std::string, RowLayout> layouts;        // of the series in the file
  std::map<std::string, SeriesInfo> new_series;    // in `row`, not yet in the file
  std::map<std::string, Array> row;                // of the current observation
  std::map<std::string, StaticBlock> new_statics;  // not yet in the file
  std::function<void()> write_beginning;           // until cut_back()

  void stage_static(const std::string& name, StaticBlock block) {
    require_name(name);
    new_statics.insert_or_assign(name, std::move(block));
  }

  void add_new_objects(const File& file) {
    for (const auto& [name, info] : new_series) {
      hdf5::add_series(file, name, hdf5::layout_of(row.at(name), name), info, committed.size());
    }
    for (const auto& [name, block] : new_statics) hdf5::add_static(file, name, block);
  }

  void cut_back() {
    if (const auto write = std::exchange(write_beginning, nullptr)) write();
  }

  void begin_anew(const Provenance& provenance) {
    replace_file(path, head, kSlack + provenance.config.size(), [&](const File& file) {
      hdf5::write_provenance(file, provenance);
      layouts = hdf5::series_layouts(file);
    });
  }

  void go_on_from(const std::filesystem::path& origin, const Provenance& provenance, std::int64_t last_step) {
    const File old = File::open_for_reading(origin);
    replace_file(path, head, std::filesystem::file_size(origin) + kSlack, [&](const File& file) {
      hdf5::copy_run(old, file, committed, {});
      hdf5::write_resumption(file, provenance, last_step);
    });
  }

  // No new objects, and room for the next row in the leaf of every series' index: nothing else changes HDF5's tables in
  // one place alone.
  [[nodiscard]] bool grows_in_place() const {
    const std::size_t rows = committed.size() + 1;
    return new_series.empty() && new_statics.empty() &&
           std::ranges::all_of(layouts, [&](const auto& series) { return hdf5::fits_one_leaf(series.second, rows); });
  }

  // What the row that waits may add, new series and committed_steps too.
  [[nodiscard]] std::size_t row_growth() const {
    std::size_t growth = kSlack;
    for (const auto& [name, layout] : layouts) growth += hdf5::largest_growth(layout);
    for (const auto& [name, info] : new_series)
      growth += kObjectBytes + hdf5::largest_growth(hdf5::layout_of(row.at(name), name));
    return growth;
  }

  // The file must be as this recorder left it.
  void require_own_state(const File& file) const {
    if (hdf5::read_head(file).run_id != head.run_id || hdf5::read_committed_steps(file) != committed) {
      throw Error(ExitCode::input_output,
                  path.string() + ": another process has written to it; one run needs one file");
    }
  }

  // New objects and full leaves change HDF5's tables in several places, which a kill could part, so they go into a
  // copy.
  template <typename Fill>
  void rewrite(const Fill& fill) {
    const File old = File::open_for_reading(path);
    require_own_state(old);
    replace_file(path, head, std::filesystem::file_size(path) + row_growth() + bytes_of(new_statics),
                 [&](const File& file) {
                   hdf5::copy_run(old, file, committed, new_statics);
                   add_new_objects(file);
                   fill(file);
                 });
    for (const auto& [name, info] : new_series) layouts[name] = hdf5::layout_of(row.at(name), name);
    new_series.clear();
    new_statics.clear();
  }

  void append_in_place(std::int64_t step) {
    hdf5::reserve_room(path, row_growth());
    File file = File::open_for_writing(path);
    require_own_state(file);
    hdf5::write_observation(file, committed.size(), row);
    file.flush_to_disk();
    hdf5::mark_committed(file, committed.size(), step);
    file.flush_to_disk();
    file.close();
  }
};

Recorder::Recorder(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
Recorder::~Recorder() = default;
Recorder::Recorder(Recorder&&) noexcept = default;
Recorder& Recorder::operator=(Recorder&&) noexcept = default;

Recorder Recorder::create(const std::filesystem::path& path, const Provenance& provenance) {
  if (std::filesystem::exists(path)) hdf5::read_head(File::open_for_reading(path));
  Recorder recorder = create_later(path, provenance);
  recorder.cut_back();
  return recorder;
}

Recorder Recorder::create_later(const std::filesystem::path& path, const Provenance& provenance) {
  auto state = std::make_unique<Implementation>();
  state->path = path;
  state->head = {provenance.run_id, utc_now()};
  state->write_beginning = [self = state.get(), provenance] { self->begin_anew(provenance); };
  return Recorder(std::move(state));
}

Recorder Recorder::resume(const std::filesystem::path& path, const Provenance& provenance, std::int64_t last_step) {
  return continue_from(path, path, provenance, last_step);
}

Recorder Recorder::continue_from(const std::filesystem::path& origin, const std::filesystem::path& path,
                                 const Provenance& provenance, std::int64_t last_step) {
  auto state = std::make_unique<Implementation>();
  state->path = path;
  const File old = File::open_for_reading(origin);
  state->head = hdf5::read_head(old);
  if (state->head.run_id != provenance.run_id) {
    throw Error(ExitCode::bad_data,
                origin.string() + ": belongs to run '" + state->head.run_id + "', not to '" + provenance.run_id + "'");
  }
  state->committed = hdf5::read_committed_steps(old);
  const auto first_dropped = std::upper_bound(state->committed.begin(), state->committed.end(), last_step);
  state->committed.erase(first_dropped, state->committed.end());
  state->layouts = hdf5::series_layouts(old);
  state->write_beginning = [self = state.get(), origin, provenance, last_step] {
    self->go_on_from(origin, provenance, last_step);
  };
  return Recorder(std::move(state));
}

void Recorder::cut_back() { implementation_->cut_back(); }

void Recorder::append(const std::string& name, const Array& row, const SeriesInfo& info) {
  Implementation& state = *implementation_;
  require_name(name);
  if (name == hdf5::kStepSeries || name == hdf5::kTokensSeries || name == hdf5::kTimeSeries) {
    throw Error(ExitCode::software, "run.h5 series '" + name + "' is written by commit()");
  }
  const RowLayout layout = hdf5::layout_of(row, name);
  if (const auto known = state.layouts.find(name); known != state.layouts.end()) {
    if (known->second != layout) {
      throw Error(ExitCode::software, "run.h5 series '" + name + "' has rows of " + hdf5::to_string(known->second) +
                                          ", not " + hdf5::to_string(layout));
    }
  } else {
    require_axes(name, info, row.shape.size());
    state.new_series.insert_or_assign(name, info);
  }
  state.row.insert_or_assign(name, row);
}

void Recorder::write_static(const std::string& name, const Array& values, const SeriesInfo& info) {
  hdf5::layout_of(values, name);
  require_axes(name, info, values.shape.size());
  implementation_->stage_static(name, {values, info});
}

void Recorder::write_static(const std::string& name, const std::vector<std::string>& values, const SeriesInfo& info) {
  require_axes(name, info, 1);
  implementation_->stage_static(name, {values, info});
}

void Recorder::commit(std::int64_t step, std::int64_t tokens) {
  Implementation& state = *implementation_;
  if (step < 0 || (!state.committed.empty() && step <= state.committed.back())) {
    throw Error(ExitCode::software, "run.h5: step " + std::to_string(step) + " does not follow the committed ones");
  }
  state.cut_back();
  state.row.insert_or_assign(hdf5::kStepSeries, Array{{}, std::vector<std::int64_t>{step}});
  state.row.insert_or_assign(hdf5::kTokensSeries, Array{{}, std::vector<std::int64_t>{tokens}});
  state.row.insert_or_assign(hdf5::kTimeSeries, scalar_array(now_in_seconds()));
  if (state.grows_in_place()) {
    state.append_in_place(step);
  } else {
    state.rewrite([&](const File& file) {
      hdf5::write_observation(file, state.committed.size(), state.row);
      hdf5::mark_committed(file, state.committed.size(), step);
    });
  }
  state.committed.push_back(step);
  state.row.clear();
}

std::vector<std::int64_t> Recorder::committed_steps() const { return implementation_->committed; }

void Recorder::close() {
  implementation_->cut_back();
  if (implementation_->new_statics.empty()) return;
  implementation_->row.clear();
  implementation_->new_series.clear();
  implementation_->rewrite([](const File&) {});
}

}  // namespace rim
