#include "launch/verbs/ending.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <string_view>
#include <thread>

#include "data/support/error.h"
#include "launch/verbs/terminal.h"

namespace rim {
namespace {

constexpr std::chrono::seconds kPatience{5};

struct Failure {
  ExitCode code = ExitCode::software;
  std::string message;
};

// libtorch appends a stack of addresses to its messages, also where only what() was kept of them.
std::string without_backtrace(std::string message) {
  return message.substr(0, message.find("\nException raised from"));
}

Failure current_failure() {
  try {
    throw;
  } catch (const Error& error) {
    return {error.code(), without_backtrace(error.what())};
  } catch (const c10::Error& error) {
    return {ExitCode::software, error.what_without_backtrace()};
  } catch (const std::bad_alloc&) {
    return {ExitCode::software, "out of memory"};
  } catch (const std::exception& error) {
    return {ExitCode::software, without_backtrace(error.what())};
  } catch (...) {
    return {ExitCode::software, "an exception of an unknown type"};
  }
}

void show_line(std::string_view line) {
  // One write per line, so that lines of several ranks do not mix.
  std::cerr << "rimscope: error: " + printable(line) + "\n" << std::flush;
}

// A configuration has a line for each problem; any other failure is one line, whatever a library put into its text.
void show(const Failure& failure) {
  std::cout.flush();
  std::string text = failure.message;
  if (failure.code != ExitCode::config) std::replace(text.begin(), text.end(), '\n', ' ');
  std::string_view rest = text;
  while (true) {
    const std::size_t end = rest.find('\n');
    show_line(rest.substr(0, end));
    if (end == std::string_view::npos) return;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace

FailureMeeting::FailureMeeting(const MpiSession& session) : session_(session) {
  if (session.size() == 1) return;
  if (MPI_Comm_dup(MPI_COMM_WORLD, &communicator_) != MPI_SUCCESS) {
    throw Error(ExitCode::software, "MPI_Comm_dup failed at the start");
  }
  MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN);
}

FailureMeeting::~FailureMeeting() {
  if (communicator_ != MPI_COMM_NULL) MPI_Comm_free(&communicator_);
}

bool FailureMeeting::all_ranks_arrive() const {
  MPI_Request request = MPI_REQUEST_NULL;
  if (MPI_Ibarrier(communicator_, &request) != MPI_SUCCESS) return false;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  int arrived = 0;
  while (MPI_Test(&request, &arrived, MPI_STATUS_IGNORE) == MPI_SUCCESS && arrived == 0) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return arrived != 0;
}

int FailureMeeting::end_with_error(bool collective) noexcept {
  Failure failure = current_failure();
  const int code = static_cast<int>(failure.code);
  if (!collective || session_.size() == 1 || all_ranks_arrive()) {
    if (session_.rank() == 0) show(failure);
    return code;
  }
  failure.message =
      "rank " + std::to_string(session_.rank()) + " of " + std::to_string(session_.size()) + ": " + failure.message;
  show(failure);
  session_.abort(code);
}

}  // namespace rim
