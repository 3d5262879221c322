// The one exception type of the project, and the exit code that goes with each kind of failure.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace rim {

// Values follow BSD's sysexits.h; `rimscope` ends with the code of the error that ended it.
enum class ExitCode : int {
  ok = 0,
  usage = 64,         // wrong command line
  bad_data = 65,      // a file was read, and what it says is wrong
  no_input = 66,      // a file or folder is missing or unreadable
  software = 70,      // training diverged, or an internal invariant broke
  input_output = 74,  // a write failed: disk full, read-only folder
  preempted = 75,     // asked to stop; resuming continues the run
  config = 78,        // the YAML configuration is wrong
};

// One line for the user: what is wrong, where (file, line), and the remedy. Thread-safe as any exception is.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

// Of a file that was read; `origin` is its path, with the line where it has some.
[[noreturn]] inline void refuse_data(const std::string& origin, const std::string& what) {
  throw Error(ExitCode::bad_data, origin + ": " + what);
}

// Runs `work`; an Error from inside is thrown on as "context: message" with the same code.
template <typename Work>
decltype(auto) with_context(std::string_view context, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw Error(error.code(), std::string(context) + ": " + error.what());
  }
}

}  // namespace rim
