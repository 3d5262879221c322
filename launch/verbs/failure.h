// What ended a program, and how several ranks' failures are told together. Local.
#pragma once

#include <string>
#include <vector>

#include "data/support/error.h"

namespace rim {

struct Failure {
  ExitCode code = ExitCode::software;
  std::string message;
  std::string host;
  bool of_transport = false;  // a time limit or MPI or NCCL itself: mostly what another rank's failure leads to
};

// The exception in flight; to be called inside a catch block.
Failure current_failure();

std::string to_text(const Failure& failure);
Failure failure_from_text(const std::string& text);

struct FailureReport {
  ExitCode code = ExitCode::software;
  std::vector<std::string> lines;
};

// One entry per rank. What all have alike is told once. Otherwise each cause is told with its rank and host, then the
// first of the transport's failures that came of it; the exit code is the first cause's.
FailureReport report_failures(const std::vector<Failure>& by_rank);
// One rank's failure, the others' being unknown.
FailureReport report_failure(const Failure& failure, int rank, int ranks);

}  // namespace rim
