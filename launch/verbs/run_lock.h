// One run per folder: a lock that goes with the process that holds it, however that ends.
#pragma once

#include <chrono>
#include <filesystem>

#include "data/support/file_descriptor.h"

namespace rim {

class RunLock {
 public:
  // Locks `folder`/.lock (flock); the file stays behind, the lock does not. A run that was killed may take a moment to
  // die, so an occupied folder is tried again for `patience`. Throws Error(config) naming who holds it, and
  // Error(input_output) where the file cannot be opened. On a file system without locks it does nothing.
  explicit RunLock(const std::filesystem::path& folder, std::chrono::milliseconds patience = std::chrono::seconds(10));
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  FileDescriptor file_;
};

}  // namespace rim
