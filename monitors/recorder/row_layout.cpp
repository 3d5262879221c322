#include "monitors/recorder/row_layout.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "monitors/recorder/chunking.h"

namespace rim::hdf5 {
namespace {

constexpr std::size_t kElementTypes = std::variant_size_v<Array::Values>;

// More values in a row, or more rows, than fit a machine are a damaged header.
constexpr std::int64_t kMostValues = std::int64_t{1} << 31;

}  // namespace

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
std::int64_t value_count(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

RowLayout layout_of(const Array& array, const std::string& name) {
  const std::size_t count = std::visit([](const auto& values) { return values.size(); }, array.values);
  const bool negative = std::any_of(array.shape.begin(), array.shape.end(), [](std::int64_t size) { return size < 0; });
  if (negative || value_count(array.shape) != static_cast<std::int64_t>(count)) {
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
  if (layout.type == kElementTypes) file.refuse("a series has a type that is not written here");
  if (layout.shape.empty()) file.refuse("a series has no step axis");
  layout.shape.erase(layout.shape.begin());
  return layout;
}

std::string to_string(const RowLayout& layout) {
  std::string sizes;
  for (const std::int64_t size : layout.shape) sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
  return std::string(element_type(layout.type).name) + "[" + sizes + "]";
}

std::size_t largest_growth(const RowLayout& row) { return largest_growth(row.shape, element_type(row.type).bytes); }

bool fits_one_leaf(const RowLayout& row, std::size_t rows) {
  return chunk_count(row.shape, element_type(row.type).bytes, rows) <= kLeafChunks;
}

std::vector<std::int64_t> shape_of(const File& file, hid_t dataset) {
  const Handle space = file.own(H5Dget_space(dataset), H5Sclose, "read a shape");
  const int rank = file.check(H5Sget_simple_extent_ndims(space.id()), "read a shape");
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
  file.check(H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr), "read a shape");
  std::int64_t room = kMostValues;
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    if (sizes[axis] > static_cast<hsize_t>(room)) file.refuse("a dataset claims more values than can be");
    // Of a row: a long run may have many.
    if (axis > 0) room /= std::max<std::int64_t>(static_cast<std::int64_t>(sizes[axis]), 1);
  }
  return {sizes.begin(), sizes.end()};
}

}  // namespace rim::hdf5
