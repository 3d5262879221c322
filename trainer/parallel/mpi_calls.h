// Checked MPI calls and waits with a time limit: what the MPI backend is built from.
#pragma once

#include <mpi.h>

#include <chrono>
#include <span>
#include <string>

namespace rim {

// Throws TransportError(software) "MPI: <call> in '<name>' failed: <reason>" unless `result` is MPI_SUCCESS.
void check_mpi(int result, const char* call, const std::string& name);

// Waits by polling, never inside a blocking MPI call: a blocked call burns the core that other ranks of the host need,
// and could not be given a time limit.
class MpiWaiter {
 public:
  MpiWaiter(int rank, int size, std::chrono::milliseconds timeout) : rank_(rank), size_(size), timeout_(timeout) {}
  // Completes all requests. Throws TransportError(software) "rank R of N waited S s in '<name>'" when the time limit
  // passes; the requests are then still active and their buffers must stay where they are.
  void wait(std::span<MPI_Request> requests, const std::string& name) const;

 private:
  int rank_, size_;
  std::chrono::milliseconds timeout_;
};

// True where all requests are complete; lets MPI make progress.
bool test_all(std::span<MPI_Request> requests, const std::string& name);

}  // namespace rim
