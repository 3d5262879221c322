#include <ATen/Parallel.h>
#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "data/support/processor_quota.h"
#include "trainer/parallel/communicator.h"
#include "trainer/parallel/mpi_calls.h"

namespace rim {
namespace {

int positive_integer_from_environment(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 0 : std::max(0, std::atoi(text));
}

// How many threads this rank gets if the ranks of its host share each core evenly.
int fair_share_of_cores(MPI_Comm host, int local_size) {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  if (::sched_getaffinity(0, sizeof mine, &mine) != 0) return 1;
  std::array<int, CPU_SETSIZE> usable{};
  std::array<int, CPU_SETSIZE> sharers{};
  for (std::size_t core = 0; core < usable.size(); ++core) usable[core] = CPU_ISSET(core, &mine) ? 1 : 0;
  sharers = usable;
  if (local_size > 1) {
    check_mpi(MPI_Allreduce(usable.data(), sharers.data(), CPU_SETSIZE, MPI_INT, MPI_SUM, host), "MPI_Allreduce",
              "count the cores of this host");
  }
  double share = 0;
  for (std::size_t core = 0; core < usable.size(); ++core) {
    if (usable[core] != 0) share += 1.0 / sharers[core];
  }
  // A container's quota holds for all its ranks together.
  share = std::min(share, processor_quota() / local_size);
  return std::max(1, static_cast<int>(share + 1e-6));
}

}  // namespace

MpiSession::MpiSession(int& argc, char**& argv) {
  // SERIALIZED: on a GPU, autograd runs the gradient hooks, and with them MPI calls, on a thread of its own while the
  // main thread waits.
  int provided = MPI_THREAD_SINGLE;
  check_mpi(MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread", "start");
  try {
    if (provided < MPI_THREAD_SERIALIZED) {
      throw Error(ExitCode::config, "this MPI library gives no thread support (MPI_THREAD_SERIALIZED is needed)");
    }
    check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank", "start");
    check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size", "start");
    MPI_Comm host = MPI_COMM_NULL;
    check_mpi(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &host),
              "MPI_Comm_split_type", "start");
    check_mpi(MPI_Comm_rank(host, &local_rank_), "MPI_Comm_rank", "start");
    check_mpi(MPI_Comm_size(host, &local_size_), "MPI_Comm_size", "start");
    threads_ = fair_share_of_cores(host, local_size_);
    if (const int wanted = positive_integer_from_environment("OMP_NUM_THREADS"); wanted > 0) threads_ = wanted;
    check_mpi(MPI_Comm_free(&host), "MPI_Comm_free", "start");
  } catch (...) {
    MPI_Finalize();
    throw;
  }
}

MpiSession::~MpiSession() {
  int finalized = 0;
  if (MPI_Finalized(&finalized) == MPI_SUCCESS && finalized == 0) MPI_Finalize();
}

void MpiSession::abort(int code) const {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);  // MPI_Abort does not return, but its declaration does not say so
}

void use_fair_share_of_cores(const MpiSession& session) { at::set_num_threads(session.threads()); }

}  // namespace rim
