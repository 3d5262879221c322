#include "monitors/recorder/disk_room.h"

#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "data/support/error.h"
#include "data/support/file_descriptor.h"

namespace rim::hdf5 {
namespace {

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
  const FileDescriptor descriptor(path, O_WRONLY);
  const int reason = descriptor.value() < 0 ? errno : reserve(descriptor.value(), bytes);
  if (reason != 0) {
    throw Error(ExitCode::input_output,
                path.string() + ": cannot be lengthened: " + std::generic_category().message(reason));
  }
}

}  // namespace rim::hdf5
