// Blocks of numbers as HDF5 datasets: series that grow by rows, and arrays written once.
#pragma once

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

// An empty series. Rows that are never written read as NaN, or as `integer_fill`.
Handle create_series(const File& file, hid_t group, const std::string& name, const RowLayout& row,
                     std::int64_t integer_fill = 0);
void resize_series(const File& file, hid_t dataset, std::size_t rows);
void write_row(const File& file, hid_t dataset, std::size_t row, const Array& values);
// Fills rows [0, rows) of `target`, which has them already, from `source`; layouts are equal.
void copy_rows(const File& source_file, hid_t source, const File& target_file, hid_t target, std::size_t rows);

Handle write_array(const File& file, hid_t group, const std::string& name, const Array& array);

// The sizes, outermost first. Error(bad_data) for a damaged or absurd one.
std::vector<std::int64_t> shape_of(const File& file, hid_t dataset);
// The first `rows` rows (all of it where rows is negative) as double. Error(bad_data) where it has fewer, or no
// numbers.
// A dataset that claims far more values than it stores is refused too, before memory is asked for.
Array read_as_double(const File& file, hid_t dataset, std::int64_t rows = -1);

}  // namespace rim::hdf5
