// SIGTERM, SIGINT and SIGUSR1 as a request to stop at the next step. mpirun passes SIGUSR1 on; the other two make it
// kill its ranks about a second after it sent SIGTERM, which leaves no time for a checkpoint of some size. (Its
// odls_base_sigkill_timeout is no way out: SIGTERM is then sent that much later, too.)
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
