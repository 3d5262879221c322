// Text in HDF5: attributes and datasets of UTF-8 padded with NULs to one length.
//
// Not variable-length: HDF5 1.10 crashes, or fills the memory, where the heap that holds such text is damaged.
#pragma once

#include <string>
#include <vector>

#include "monitors/recorder/hdf5_handle.h"

namespace rim::hdf5 {

// `object` is a file, group or dataset of `file`. They throw Error as File::check does.
void write_text_attribute(const File& file, hid_t object, const std::string& name, const std::string& text);
void write_text_list_attribute(const File& file, hid_t object, const std::string& name,
                               const std::vector<std::string>& texts);
// Empty where the attribute is absent; one value for scalar text.
std::vector<std::string> read_text_attribute(const File& file, hid_t object, const std::string& name);
// A one-dimensional dataset of text; `scalar` makes it a single value.
Handle write_text_dataset(const File& file, hid_t group, const std::string& name, const std::vector<std::string>& texts,
                          bool scalar = false);
// Error(bad_data) where it holds no text.
std::vector<std::string> read_text_dataset(const File& file, hid_t dataset);

}  // namespace rim::hdf5
