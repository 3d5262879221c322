// rimscope: see launch/verbs for what it can do.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "data/support/error.h"
#include "launch/verbs/command_line.h"
#include "trainer/parallel/communicator.h"

namespace {

// Started by hand, a lone process needs no Open MPI daemon: without one it starts sooner, and `rimscope doctor` can say
// that mpirun is not installed where MPI_Init would end the program for lack of the daemon.
void need_no_daemon_when_alone() {
  constexpr std::array kLeftByLaunchers{"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
  const bool launched = std::any_of(kLeftByLaunchers.begin(), kLeftByLaunchers.end(),
                                    [](const char* name) { return std::getenv(name) != nullptr; });
  if (!launched) ::setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    need_no_daemon_when_alone();
    const rim::MpiSession session(argc, argv);
    return rim::run_command_line({argv, argv + argc}, session);
  } catch (const rim::Error& error) {
    std::cerr << "rimscope: error: " << error.what() << "\n";
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::cerr << "rimscope: error: " << error.what() << "\n";
    return static_cast<int>(rim::ExitCode::software);
  }
}
