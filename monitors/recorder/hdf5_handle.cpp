#include "monitors/recorder/hdf5_handle.h"

#include <unistd.h>

#include "data/support/files.h"
#include "monitors/recorder/chunking.h"

namespace rim::hdf5 {
namespace {

// HDF5's unit for the size of an index leaf.
constexpr unsigned kHalfLeafChunks = kLeafChunks / 2;

// Files written here stay readable while they grow (docs/hdf5-schema.md), and flock() fails on many cluster file
// systems, so no lock is taken. HDF5_USE_FILE_LOCKING in the environment still has the last word.
Handle access_properties() {
  Handle properties(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_file_locking(properties.id(), false, true);
  return properties;
}

// HDF5 prints its error stack on stderr and loads filters from folders that the environment names, unless told not to.
void set_library_manners() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
}

herr_t keep_innermost(unsigned, const H5E_error2_t* entry, void* text) {
  if (entry->desc != nullptr) *static_cast<std::string*>(text) = entry->desc;
  return 1;  // stop at the first, innermost entry
}

std::string innermost_message() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, &text);
  return text.empty() ? "HDF5 gives no reason" : text;
}

}  // namespace

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    close();
    id_ = std::exchange(other.id_, H5I_INVALID_HID);
    closer_ = other.closer_;
  }
  return *this;
}

herr_t Handle::close() {
  if (id_ < 0) return 0;
  return closer_(std::exchange(id_, H5I_INVALID_HID));
}

File File::create(const std::filesystem::path& path) {
  set_library_manners();
  File file(path, ExitCode::input_output);
  const Handle creation = file.own(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "be created");
  file.check(H5Pset_istore_k(creation.id(), kHalfLeafChunks), "be created");
  file.handle_ =
      file.own(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.id(), access_properties().id()), H5Fclose, "be created");
  return file;
}

File File::open_for_reading(const std::filesystem::path& path) {
  set_library_manners();
  if (::access(path.c_str(), R_OK) != 0 || std::filesystem::is_directory(path)) {
    throw Error(ExitCode::no_input, path.string() + ": no such file, or it cannot be read");
  }
  File file(path, ExitCode::bad_data);
  file.handle_ =
      file.own(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access_properties().id()), H5Fclose, "be opened as HDF5");
  return file;
}

File File::open_for_writing(const std::filesystem::path& path) {
  set_library_manners();
  File file(path, ExitCode::input_output);
  file.handle_ =
      file.own(H5Fopen(path.c_str(), H5F_ACC_RDWR, access_properties().id()), H5Fclose, "be opened for writing");
  return file;
}

void File::flush_to_disk() const {
  check(H5Fflush(id(), H5F_SCOPE_LOCAL), "be written");
  sync_path(path_);
}

void File::close() { check(handle_.close(), "be closed"); }

void File::fail(const std::string& action) const {
  throw Error(code_, path_.string() + ": cannot " + action + ": " + innermost_message());
}

void File::refuse(const std::string& what) const { throw Error(ExitCode::bad_data, path_.string() + ": " + what); }

}  // namespace rim::hdf5
