// Blocks of numbers as HDF5 datasets: series that grow by rows, and arrays written once.
#pragma once

#include <cstdint>
#include <string>

#include "monitors/recorder/hdf5_handle.h"
#include "monitors/recorder/recorder.h"
#include "monitors/recorder/row_layout.h"

namespace rim::hdf5 {

// An empty series. Rows that are never written read as NaN, integers as -1, which no code or count is.
Handle create_series(const File& file, hid_t group, const std::string& name, const RowLayout& row);
void resize_series(const File& file, hid_t dataset, std::size_t rows);
void write_row(const File& file, hid_t dataset, std::size_t row, const Array& values);
// Fills rows [0, rows) of `target`, which has them already, from `source`; layouts are equal.
void copy_rows(const File& source_file, hid_t source, const File& target_file, hid_t target, std::size_t rows);

Handle write_array(const File& file, hid_t group, const std::string& name, const Array& array);

// The first `rows` rows (all of it where rows is negative) as double. Error(bad_data) where it has fewer, or no
// numbers.
// A dataset that claims far more values than it stores is refused too, before memory is asked for.
Array read_as_double(const File& file, hid_t dataset, std::int64_t rows = -1);

}  // namespace rim::hdf5
