#include "launch/verbs/run_lock.h"

#include <sys/file.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <thread>

#include "data/support/error.h"
#include "data/support/host.h"

namespace rim {
namespace {

constexpr std::chrono::milliseconds kBetweenTries{50};

// False where another process holds it.
bool lock(int descriptor) {
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) return true;  // ENOLCK, EOPNOTSUPP, ENOSYS: no locks here, and no reason not to train
  }
  return true;
}

bool lock_within(int descriptor, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!lock(descriptor)) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kBetweenTries);
  }
  return true;
}

// "process 1234 on node7", what the holder wrote.
std::string holder(int descriptor) {
  std::array<char, 256> text{};
  const ssize_t length = ::pread(descriptor, text.data(), text.size(), 0);
  return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : "another process";
}

// For people only: nothing depends on it.
void sign(int descriptor) {
  const std::string name = "process " + std::to_string(::getpid()) + " on " + host_name();
  if (::ftruncate(descriptor, 0) == 0) static_cast<void>(::pwrite(descriptor, name.data(), name.size(), 0) + 1);
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& folder, std::chrono::milliseconds patience)
    : file_(folder / ".lock", O_RDWR | O_CREAT) {
  if (file_.value() < 0) {
    throw Error(ExitCode::input_output,
                (folder / ".lock").string() + ": cannot be opened: " + std::generic_category().message(errno));
  }
  if (!lock_within(file_.value(), patience)) {
    throw Error(ExitCode::config, folder.string() + ": " + holder(file_.value()) +
                                      " is training into this folder; wait for it, or choose another output_dir");
  }
  sign(file_.value());
}

RunLock::~RunLock() {
  static_cast<void>(::ftruncate(file_.value(), 0) + 1);  // the holder is gone
}

}  // namespace rim
