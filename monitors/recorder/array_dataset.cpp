#include "monitors/recorder/array_dataset.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <numeric>

#include "monitors/recorder/chunking.h"

namespace rim::hdf5 {
namespace {

struct ElementType {
  const char* name;
  hid_t stored;
  hid_t memory;
  std::size_t bytes;
};

// In the order of Array::Values. The identifiers are HDF5's own and need no closing.
ElementType element_type(std::size_t type) {
  switch (type) {
    case 0:
      return {"float64", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 8};
    case 1:
      return {"float32", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 4};
    case 2:
      return {"int64", H5T_STD_I64LE, H5T_NATIVE_INT64, 8};
    default:
      return {"int8", H5T_STD_I8LE, H5T_NATIVE_INT8, 1};
  }
}
constexpr std::size_t kElementTypes = std::variant_size_v<Array::Values>;

// More values than fit a machine are a damaged header.
constexpr std::int64_t kMostValues = std::int64_t{1} << 31;
// A dataset may claim this much (rows never written take no room), and so many times more than it stores: deflate packs
// 1032 to 1 at best.
constexpr double kUnstoredBytes = 256.0 * 1024 * 1024;
constexpr double kBestPacking = 1032;

std::int64_t product(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

[[noreturn]] void refuse(const File& file, const std::string& what) {
  throw Error(ExitCode::bad_data, file.path().string() + ": " + what);
}

std::vector<hsize_t> with_rows(std::size_t rows, const std::vector<std::int64_t>& row_shape) {
  std::vector<hsize_t> sizes{rows};
  for (const std::int64_t size : row_shape) sizes.push_back(static_cast<hsize_t>(size));
  return sizes;
}

// The file-side selection of rows [first, first + count).
Handle select_rows(const File& file, hid_t dataset, std::size_t first, std::size_t count) {
  Handle space = file.own(H5Dget_space(dataset), H5Sclose, "find rows");
  std::vector<hsize_t> sizes(static_cast<std::size_t>(file.check(H5Sget_simple_extent_ndims(space.id()), "find rows")));
  if (sizes.empty()) refuse(file, "a series has no step axis");
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

void set_fill_value(const File& file, hid_t properties, std::size_t type, std::int64_t integer_fill) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const bool floating = type < 2;
  file.check(H5Pset_fill_value(properties, floating ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64,
                               floating ? static_cast<const void*>(&none) : &integer_fill),
             "set a fill value");
}

const void* data_of(const Array& array) {
  return std::visit([](const auto& values) { return static_cast<const void*>(values.data()); }, array.values);
}

void require_plausible_size(const File& file, hid_t dataset, hid_t type) {
  const double claimed = static_cast<double>(product(shape_of(file, dataset))) * static_cast<double>(H5Tget_size(type));
  const auto stored = static_cast<double>(H5Dget_storage_size(dataset));
  if (claimed > kUnstoredBytes + kBestPacking * stored) refuse(file, "a dataset claims far more values than it stores");
}

}  // namespace

RowLayout layout_of(const Array& array, const std::string& name) {
  const std::size_t count = std::visit([](const auto& values) { return values.size(); }, array.values);
  const bool negative = std::any_of(array.shape.begin(), array.shape.end(), [](std::int64_t size) { return size < 0; });
  if (negative || product(array.shape) != static_cast<std::int64_t>(count)) {
    throw Error(ExitCode::software, "run.h5 series '" + name + "': " + std::to_string(count) + " values do not fill " +
                                        to_string({array.values.index(), array.shape}));
  }
  return {array.values.index(), array.shape};
}

RowLayout layout_of(const File& file, hid_t dataset) {
  const Handle stored = file.own(H5Dget_type(dataset), H5Tclose, "read a type");
  RowLayout layout{kElementTypes, shape_of(file, dataset)};
  for (std::size_t type = 0; type < kElementTypes; ++type) {
    if (H5Tequal(stored.id(), element_type(type).stored) > 0) layout.type = type;
  }
  if (layout.type == kElementTypes) refuse(file, "a series has a type that is not written here");
  if (layout.shape.empty()) refuse(file, "a series has no step axis");
  layout.shape.erase(layout.shape.begin());
  return layout;
}

std::string to_string(const RowLayout& layout) {
  std::string sizes;
  for (const std::int64_t size : layout.shape) sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
  return std::string(element_type(layout.type).name) + "[" + sizes + "]";
}

std::size_t largest_growth(const RowLayout& row) { return largest_growth(row.shape, element_type(row.type).bytes); }

Handle create_series(const File& file, hid_t group, const std::string& name, const RowLayout& row,
                     std::int64_t integer_fill) {
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
  set_fill_value(file, properties.id(), row.type, integer_fill);

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
  const std::int64_t count = product(values.shape);
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
  const auto count = static_cast<std::size_t>(product(layout.shape));
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
  if (product(array.shape) > 0) {
    file.check(H5Dwrite(dataset.id(), type.memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data_of(array)), action);
  }
  return dataset;
}

std::vector<std::int64_t> shape_of(const File& file, hid_t dataset) {
  const Handle space = file.own(H5Dget_space(dataset), H5Sclose, "read a shape");
  const int rank = file.check(H5Sget_simple_extent_ndims(space.id()), "read a shape");
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
  file.check(H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr), "read a shape");
  std::int64_t room = kMostValues;
  for (const hsize_t size : sizes) {
    if (size > static_cast<hsize_t>(room)) refuse(file, "a dataset claims more values than can be");
    room /= std::max<std::int64_t>(static_cast<std::int64_t>(size), 1);
  }
  return {sizes.begin(), sizes.end()};
}

Array read_as_double(const File& file, hid_t dataset, std::int64_t rows) {
  const Handle stored = file.own(H5Dget_type(dataset), H5Tclose, "read a type");
  const H5T_class_t kind = H5Tget_class(stored.id());
  if (kind != H5T_INTEGER && kind != H5T_FLOAT) refuse(file, "holds something else where numbers are expected");
  require_plausible_size(file, dataset, stored.id());
  std::vector<std::int64_t> shape = shape_of(file, dataset);
  const bool everything = rows < 0;
  if (!everything) {
    if (shape.empty() || shape[0] < rows) refuse(file, "a series has fewer rows than were committed");
    shape[0] = rows;
  }
  std::vector<double> values(static_cast<std::size_t>(product(shape)));
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
