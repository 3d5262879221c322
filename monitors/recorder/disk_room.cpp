#include "monitors/recorder/disk_room.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "data/support/error.h"

namespace rim::hdf5 {
namespace {

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& path) : value_(::open(path.c_str(), O_WRONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

int reserve(int descriptor, std::size_t bytes) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return errno;
  const int reason = ::posix_fallocate(descriptor, status.st_size, static_cast<off_t>(bytes));
  // Gives back what a failed attempt took. Should that fail too, the file is longer, which does no harm.
  if (reason != 0 && ::ftruncate(descriptor, status.st_size) != 0) return reason;
  return reason;
}

}  // namespace

void reserve_room(const std::filesystem::path& path, std::size_t bytes) {
  const Descriptor descriptor(path);
  const int reason = descriptor.get() < 0 ? errno : reserve(descriptor.get(), bytes);
  if (reason != 0) {
    throw Error(ExitCode::input_output,
                path.string() + ": cannot be lengthened: " + std::generic_category().message(reason));
  }
}

}  // namespace rim::hdf5
