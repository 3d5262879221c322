#include "launch/verbs/ending.h"

#include <c10/util/Exception.h>
#include <mpi.h>

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

void show(const std::string& message) {
  std::cout.flush();
  std::string_view rest = message;
  while (true) {
    const std::size_t end = rest.find('\n');
    // One write per line, so that lines of several ranks do not mix.
    std::cerr << "rimscope: error: " + printable(rest.substr(0, end)) + "\n" << std::flush;
    if (end == std::string_view::npos) return;
    rest.remove_prefix(end + 1);
  }
}

// True once every rank has called this; false after kPatience.
bool all_ranks_arrive() {
  MPI_Request request = MPI_REQUEST_NULL;
  if (MPI_Ibarrier(MPI_COMM_WORLD, &request) != MPI_SUCCESS) return false;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  int arrived = 0;
  while (MPI_Test(&request, &arrived, MPI_STATUS_IGNORE) == MPI_SUCCESS && arrived == 0) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return arrived != 0;
}

}  // namespace

int end_with_error(const MpiSession& session, bool collective) noexcept {
  const Failure failure = current_failure();
  const int code = static_cast<int>(failure.code);
  if (!collective || session.size() == 1 || all_ranks_arrive()) {
    if (session.rank() == 0) show(failure.message);
    return code;
  }
  show("rank " + std::to_string(session.rank()) + " of " + std::to_string(session.size()) + ": " + failure.message);
  session.abort(code);
}

}  // namespace rim
