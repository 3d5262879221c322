// Asks for disk space before a file is changed, so that a full disk is met while the file is still whole.
#pragma once

#include <cstddef>
#include <filesystem>

namespace rim::hdf5 {

// Lengthens the file by `bytes` that the file system promises to have (HDF5 ignores what lies behind its own end, and
// gives the rest back on closing). Throws Error(input_output), the file's length as it was.
void reserve_room(const std::filesystem::path& path, std::size_t bytes);

}  // namespace rim::hdf5
