// SIGTERM, SIGINT and SIGUSR1 as a request to stop at the next step. Slurm sends USR1 ahead of a preemption, mpirun
// passes it on.
#pragma once

namespace rim {

// Handles the signals while it lives, then puts the earlier handlers back. One at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  // Whether one has come. A second SIGINT (Ctrl-C) ends the program at once.
  [[nodiscard]] static bool requested();
};

}  // namespace rim
