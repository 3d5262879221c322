// How a failed program ends: one message, every rank gone, the exit code of the error.
#pragma once

#include <mpi.h>

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

  // To be called inside a catch block: shows the exception in flight and returns its exit code.
  //
  // collective: the failure may be one that all ranks have (they agreed on it, or met it alike): then rank 0 shows it
  // and all return. Where the others do not come within seconds it is this rank's alone: they may wait in a collective
  // for it, so it shows its own and aborts the world. Does not return then.
  int end_with_error(bool collective) noexcept;

 private:
  [[nodiscard]] bool all_ranks_arrive() const;

  const MpiSession& session_;
  MPI_Comm communicator_ = MPI_COMM_NULL;
};

}  // namespace rim
