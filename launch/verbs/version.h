// What this program was built from and runs with.
#pragma once

#include <map>
#include <string>

namespace rim {

// "0.1.0"
std::string rimscope_version();
// Of the source tree at build time; "unknown" where that was no git checkout.
std::string git_commit();
// Whether the tree then differed from the commit: "true", "false" or "unknown".
std::string git_dirty();
std::string libtorch_version();
std::string hdf5_version();
std::string mpi_version();
// What `--version` prints.
std::string version_text();

}  // namespace rim
