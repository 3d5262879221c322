// The thin layer over HDF5's C API: every handle is closed, every return is checked, every error names the file.
//
// Not thread-safe: Debian's and Ubuntu's HDF5 is built without thread support, and its error stack is shared.
#pragma once

#include <hdf5.h>

#include <filesystem>
#include <string>
#include <utility>

#include "data/support/error.h"

namespace rim::hdf5 {

// Owns one HDF5 identifier. Move-only.
class Handle {
 public:
  using Closer = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Closer closer) : id_(id), closer_(closer) {}
  ~Handle() { close(); }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), closer_(other.closer_) {}
  Handle& operator=(Handle&& other) noexcept;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  [[nodiscard]] hid_t id() const { return id_; }
  // Negative where HDF5 could not close it; the destructor cannot say so.
  herr_t close();

 private:
  hid_t id_ = H5I_INVALID_HID;
  Closer closer_ = nullptr;
};

// An open file, its path, and the exit code that its failures have: bad_data while reading, input_output while writing.
class File {
 public:
  // H5F_ACC_TRUNC, replacing what is there. Throws Error(input_output).
  static File create(const std::filesystem::path& path);
  // Throws Error(no_input) for a missing or unreadable file, Error(bad_data) for one that HDF5 cannot open.
  static File open_for_reading(const std::filesystem::path& path);
  // Throws Error(input_output).
  static File open_for_writing(const std::filesystem::path& path);

  [[nodiscard]] hid_t id() const { return handle_.id(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // Hands everything to the operating system, and from there to the disk. Throws Error(input_output).
  void flush_to_disk() const;
  // Throws Error(input_output).
  void close();

  // Throws "<path>: cannot <action>: <what HDF5 says>".
  [[noreturn]] void fail(const std::string& action) const;
  // Throws Error(bad_data) "<path>: <what>": the file was read, and says what it must not say.
  [[noreturn]] void refuse(const std::string& what) const;
  // Returns `result`; negative values are HDF5's failures.
  template <typename Result>
  Result check(Result result, const std::string& action) const {
    if (result < 0) fail(action);
    return result;
  }
  [[nodiscard]] Handle own(hid_t id, Handle::Closer closer, const std::string& action) const {
    return {check(id, action), closer};
  }

 private:
  File(std::filesystem::path path, ExitCode code) : path_(std::move(path)), code_(code) {}
  std::filesystem::path path_;
  ExitCode code_;
  Handle handle_;
};

}  // namespace rim::hdf5
