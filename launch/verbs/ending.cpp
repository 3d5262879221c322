#include "launch/verbs/ending.h"

#include <chrono>
#include <exception>
#include <iostream>
#include <numeric>
#include <thread>

#include "data/support/error.h"
#include "launch/verbs/terminal.h"

namespace rim {
namespace {

constexpr std::chrono::seconds kPatience{5};

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

bool FailureMeeting::completes(MPI_Request request) const {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  int done = 0;
  while (MPI_Test(&request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && done == 0) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return done != 0;
}

// Where it gives up MPI still holds the buffers, which does not matter: the world is aborted next.
std::optional<std::vector<Failure>> FailureMeeting::gather(const Failure& mine) const {
  const std::string text = to_text(mine);
  const int length = static_cast<int>(text.size());
  std::vector<int> lengths(static_cast<std::size_t>(session_.size())), offsets(lengths.size());
  MPI_Request request = MPI_REQUEST_NULL;
  if (MPI_Iallgather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, communicator_, &request) != MPI_SUCCESS ||
      !completes(request)) {
    return std::nullopt;
  }
  std::exclusive_scan(lengths.begin(), lengths.end(), offsets.begin(), 0);
  std::string all(static_cast<std::size_t>(offsets.back() + lengths.back()), '\0');
  if (MPI_Iallgatherv(text.data(), length, MPI_BYTE, all.data(), lengths.data(), offsets.data(), MPI_BYTE,
                      communicator_, &request) != MPI_SUCCESS ||
      !completes(request)) {
    return std::nullopt;
  }
  std::vector<Failure> failures;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    failures.push_back(
        failure_from_text(all.substr(static_cast<std::size_t>(offsets[i]), static_cast<std::size_t>(lengths[i]))));
  }
  return failures;
}

void FailureMeeting::show(const FailureReport& report) const {
  std::cout.flush();
  // One write per line, so that lines of several ranks do not mix.
  for (const std::string& line : report.lines) {
    std::cerr << "rimscope: error: " + printable(line) + "\n" << std::flush;
  }
  try {
    if (note_ && !report.lines.empty()) note_(report.lines.front());
  } catch (const std::exception&) {
    // The disk may be what failed; the line above says so.
  }
}

int FailureMeeting::end_with_error(bool collective) noexcept {
  const Failure mine = current_failure();
  FailureReport report{mine.code, {}};
  if (!collective || session_.size() == 1) {
    report = report_failures({mine});
    if (session_.rank() == 0) show(report);
    return static_cast<int>(report.code);
  }
  if (const auto all = gather(mine)) {
    report = report_failures(*all);
    if (session_.rank() == 0) show(report);
    return static_cast<int>(report.code);
  }
  report = report_failure(mine, session_.rank(), session_.size());
  show(report);
  session_.abort(static_cast<int>(report.code));
}

}  // namespace rim
