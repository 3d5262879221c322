// How a failed program ends: the cause told once, every rank gone, the exit code of the error.
#pragma once

#include <mpi.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "launch/verbs/failure.h"
#include "trainer/parallel/communicator.h"

namespace rim {

// Where ranks that failed look for each other. Its own communicator, because the others may be anywhere in a collective
// of another. COLLECTIVE to construct, and to be done while all ranks are well.
class FailureMeeting {
 public:
  explicit FailureMeeting(const MpiSession& session);
  ~FailureMeeting();
  FailureMeeting(const FailureMeeting&) = delete;
  FailureMeeting& operator=(const FailureMeeting&) = delete;

  // `note` gets the cause's first line, on the one rank that shows it. What it throws is lost. Local.
  void note_cause_with(std::function<void(const std::string&)> note) { note_ = std::move(note); }

  // To be called inside a catch block: shows the exception in flight and returns its exit code.
  //
  // collective: the failure may be one that all ranks have (they agreed on it, or met it alike, or one's led to the
  // others'): then rank 0 shows the causes and all return the first one's code. Where the others do not come within
  // seconds it is this rank's alone: they may wait in a collective for it, so it shows its own and aborts the world.
  // Does not return then.
  int end_with_error(bool collective) noexcept;

 private:
  [[nodiscard]] bool completes(MPI_Request request) const;
  // Every rank's failure; nothing where some do not come.
  [[nodiscard]] std::optional<std::vector<Failure>> gather(const Failure& mine) const;
  void show(const FailureReport& report) const;

  const MpiSession& session_;
  MPI_Comm communicator_ = MPI_COMM_NULL;
  std::function<void(const std::string&)> note_;
};

}  // namespace rim
