#include "launch/verbs/version.h"

#include <H5public.h>
#include <mpi.h>
#include <torch/headeronly/version.h>

#include <array>

#include "build_information.h"  // written at build time by launch/cmake/WriteBuildInformation.cmake

namespace rim {

std::string rimscope_version() { return kBuildVersion; }
std::string git_commit() { return kBuildCommit; }
std::string git_dirty() { return kBuildDirty; }
std::string libtorch_version() { return TORCH_VERSION; }

std::string hdf5_version() {
  unsigned int major = 0;
  unsigned int minor = 0;
  unsigned int release = 0;
  if (H5get_libversion(&major, &minor, &release) < 0) return "unknown";
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release);
}

std::string mpi_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  if (MPI_Get_library_version(text.data(), &length) != MPI_SUCCESS) return "unknown";
  const std::string whole(text.data(), static_cast<std::size_t>(length));
  return whole.substr(0, whole.find_first_of(",\n"));
}

std::string version_text() {
  const std::string changes = git_dirty() == "true" ? ", with local changes" : "";
  return "rimscope " + rimscope_version() + " (" + git_commit() + changes + ")\nlibtorch " + libtorch_version() +
         "\nHDF5 " + hdf5_version() + "\nMPI " + mpi_version() + "\n";
}

}  // namespace rim
