// Owns an open file of the system.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <utility>

namespace rim {

// Opened with the flags of open(2) and closed on exec; errno is open(2)'s where value() is negative afterwards.
class FileDescriptor {
 public:
  FileDescriptor(const std::filesystem::path& path, int flags)
      : value_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~FileDescriptor() { close(); }
  FileDescriptor(FileDescriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }

  [[nodiscard]] int value() const { return value_; }
  // All of it, however many calls that takes. False with errno set.
  [[nodiscard]] bool write(std::string_view content) const {
    while (!content.empty()) {
      const ssize_t written = ::write(value_, content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      content.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }
  // Early, for its result: some file systems tell of a failed write only here. False with errno set.
  bool close() {
    const int value = std::exchange(value_, -1);
    return value < 0 || ::close(value) == 0;
  }

 private:
  int value_;
};

}  // namespace rim
