// Types and shapes of what is stored, as numbers of this program and of HDF5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "monitors/recorder/hdf5_handle.h"
#include "monitors/recorder/recorder.h"

namespace rim::hdf5 {

// What all rows of a series share. `type` is the index of the alternative in Array::Values.
struct RowLayout {
  std::size_t type = 0;
  std::vector<std::int64_t> shape;
  bool operator==(const RowLayout&) const = default;
};
// Throws Error(software) where shape and number of values disagree; `name` is for the message.
RowLayout layout_of(const Array& array, const std::string& name);
// The layout of a stored series. Error(bad_data) for a type that Recorder never writes.
RowLayout layout_of(const File& file, hid_t dataset);
std::string to_string(const RowLayout& layout);  // "float32[2, 8]"

// An upper bound for what one more row adds to the file.
std::size_t largest_growth(const RowLayout& row);
// Whether the index of a series of so many rows is a single leaf, which grows in place safely.
bool fits_one_leaf(const RowLayout& row, std::size_t rows);

// How an alternative of Array::Values lies in the file and in memory.
struct ElementType {
  const char* name;
  hid_t stored;
  hid_t memory;
  std::size_t bytes;
};

ElementType element_type(std::size_t type);

// The product of the sizes.
std::int64_t value_count(const std::vector<std::int64_t>& shape);
// The sizes, outermost first. Error(bad_data) for a damaged or absurd one.
std::vector<std::int64_t> shape_of(const File& file, hid_t dataset);

}  // namespace rim::hdf5
