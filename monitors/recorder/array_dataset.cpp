#include "monitors/recorder/array_dataset.h"

#include <algorithm>
#include <limits>

#include "monitors/recorder/chunking.h"

namespace rim::hdf5 {
namespace {

// A dataset may claim this much (rows never written take no room), and so many times more than it stores: deflate packs
// 1032 to 1 at best.
constexpr double kUnstoredBytes = 256.0 * 1024 * 1024;
constexpr double kBestPacking = 1032;

std::vector<hsize_t> with_rows(std::size_t rows, const std::vector<std::int64_t>& row_shape) {
  std::vector<hsize_t> sizes{rows};
  for (const std::int64_t size : row_shape) sizes.push_back(static_cast<hsize_t>(size));
  return sizes;
}

// The file-side selection of rows [first, first + count).
Handle select_rows(const File& file, hid_t dataset, std::size_t first, std::size_t count) {
  Handle space = file.own(H5Dget_space(dataset), H5Sclose, "find rows");
  std::vector<hsize_t> sizes(static_cast<std::size_t>(file.check(H5Sget_simple_extent_ndims(space.id()), "find rows")));
  if (sizes.empty()) file.refuse("a series has no step axis");
  file.check(H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr), "find rows");
  std::vector<hsize_t> start(sizes.size(), 0);
  start[0] = first;
  sizes[0] = count;
  file.check(H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start.data(), nullptr, sizes.data(), nullptr),
             "find rows");
  return space;
}

Handle memory_space(const File& file, std::size_t count) {
  const hsize_t size = count;
  return file.own(H5Screate_simple(1, &size, nullptr), H5Sclose, "describe rows");
}

void set_fill_value(const File& file, hid_t properties, std::size_t type) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::int64_t no_integer = -1;
  const bool floating = type < 2;
  file.check(H5Pset_fill_value(properties, floating ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64,
                               floating ? static_cast<const void*>(&none) : &no_integer),
             "set a fill value");
}

const void* data_of(const Array& array) {
  return std::visit([](const auto& values) { return static_cast<const void*>(values.data()); }, array.values);
}

void require_plausible_size(const File& file, hid_t dataset, hid_t type) {
  const double claimed =
      static_cast<double>(value_count(shape_of(file, dataset))) * static_cast<double>(H5Tget_size(type));
  const auto stored = static_cast<double>(H5Dget_storage_size(dataset));
  if (claimed > kUnstoredBytes + kBestPacking * stored) file.refuse("a dataset claims far more values than it stores");
}

}  // namespace

Handle create_series(const File& file, hid_t group, const std::string& name, const RowLayout& row) {
  const std::string action = "make series " + name;
  const ElementType type = element_type(row.type);
  const Chunking chunking = choose_chunking(row.shape, type.bytes);
  const Handle properties = file.own(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, action);
  const std::vector<hsize_t> chunk(chunking.sizes.begin(), chunking.sizes.end());
  file.check(H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data()), action);
  if (chunking.compress) {
    file.check(H5Pset_shuffle(properties.id()), action);
    file.check(H5Pset_deflate(properties.id(), 4), action);
  }
  set_fill_value(file, properties.id(), row.type);

  const std::vector<hsize_t> sizes = with_rows(0, row.shape);
  std::vector<hsize_t> limits = sizes;  // a size of 0 cannot be a limit under a chunk of 1
  std::replace(limits.begin(), limits.end(), hsize_t{0}, static_cast<hsize_t>(H5S_UNLIMITED));
  const Handle space =
      file.own(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), limits.data()), H5Sclose, action);
  return file.own(H5Dcreate2(group, name.c_str(), type.stored, space.id(), H5P_DEFAULT, properties.id(), H5P_DEFAULT),
                  H5Dclose, action);
}

void resize_series(const File& file, hid_t dataset, std::size_t rows) {
  const std::vector<std::int64_t> shape = shape_of(file, dataset);
  const std::vector<hsize_t> sizes = with_rows(rows, {shape.begin() + 1, shape.end()});
  file.check(H5Dset_extent(dataset, sizes.data()), "lengthen a series");
}

void write_row(const File& file, hid_t dataset, std::size_t row, const Array& values) {
  const std::int64_t count = value_count(values.shape);
  if (count == 0) return;
  const Handle target = select_rows(file, dataset, row, 1);
  const Handle source = memory_space(file, static_cast<std::size_t>(count));
  file.check(H5Dwrite(dataset, element_type(values.values.index()).memory, source.id(), target.id(), H5P_DEFAULT,
                      data_of(values)),
             "write a row");
}

void copy_rows(const File& source_file, hid_t source, const File& target_file, hid_t target, std::size_t rows) {
  const RowLayout layout = layout_of(source_file, source);
  const ElementType type = element_type(layout.type);
  const auto count = static_cast<std::size_t>(value_count(layout.shape));
  if (count == 0) return;
  const std::size_t step = 1 + (std::size_t{4} << 20U) / (count * type.bytes);  // a few MiB at a time
  std::vector<std::byte> values;
  for (std::size_t first = 0; first < rows; first += step) {
    const std::size_t now = std::min(step, rows - first);
    values.resize(now * count * type.bytes);
    const Handle memory = memory_space(target_file, now * count);
    const Handle from = select_rows(source_file, source, first, now);
    source_file.check(H5Dread(source, type.memory, memory.id(), from.id(), H5P_DEFAULT, values.data()), "read rows");
    const Handle to = select_rows(target_file, target, first, now);
    target_file.check(H5Dwrite(target, type.memory, memory.id(), to.id(), H5P_DEFAULT, values.data()), "write rows");
  }
}

Handle write_array(const File& file, hid_t group, const std::string& name, const Array& array) {
  const std::string action = "write " + name;
  const ElementType type = element_type(layout_of(array, name).type);
  const std::vector<hsize_t> sizes(array.shape.begin(), array.shape.end());
  const Handle space = file.own(
      sizes.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr),
      H5Sclose, action);
  Handle dataset =
      file.own(H5Dcreate2(group, name.c_str(), type.stored, space.id(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
               H5Dclose, action);
  if (value_count(array.shape) > 0) {
    file.check(H5Dwrite(dataset.id(), type.memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data_of(array)), action);
  }
  return dataset;
}

Array read_as_double(const File& file, hid_t dataset, std::int64_t rows) {
  const Handle stored = file.own(H5Dget_type(dataset), H5Tclose, "read a type");
  const H5T_class_t kind = H5Tget_class(stored.id());
  if (kind != H5T_INTEGER && kind != H5T_FLOAT) file.refuse("holds something else where numbers are expected");
  require_plausible_size(file, dataset, stored.id());
  std::vector<std::int64_t> shape = shape_of(file, dataset);
  const bool everything = rows < 0;
  if (!everything) {
    if (shape.empty() || shape[0] < rows) file.refuse("a series has fewer rows than were committed");
    shape[0] = rows;
  }
  std::vector<double> values(static_cast<std::size_t>(value_count(shape)));
  if (!values.empty()) {
    const Handle memory = memory_space(file, values.size());
    const Handle rows_space = everything ? Handle() : select_rows(file, dataset, 0, static_cast<std::size_t>(rows));
    file.check(H5Dread(dataset, H5T_NATIVE_DOUBLE, everything ? H5S_ALL : memory.id(),
                       everything ? H5S_ALL : rows_space.id(), H5P_DEFAULT, values.data()),
               "read values");
  }
  return {std::move(shape), std::move(values)};
}

}  // namespace rim::hdf5
