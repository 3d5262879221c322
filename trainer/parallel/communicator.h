// What ranks say to each other. One interface, two backends: MPI for CPU tensors, NCCL for CUDA tensors (host scalars
// and strings always travel over MPI). Every member but rank(), size() and the destructor is COLLECTIVE: all ranks call
// it in the same order. Every wait for an operation has a name and a time limit; when it passes,
// TransportError(software) names rank and wait. MPI's own start and end have none, nor has waiting for this rank's GPU.
#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/support/error.h"

namespace rim {

// A time limit that passed, or a transport that failed: mostly what another rank's failure leads to.
class TransportError : public Error {
 public:
  using Error::Error;
};

// A reduction under way. wait() completes it (not collective in itself, but each started reduction must be waited for).
class PendingReduction {
 public:
  virtual ~PendingReduction() = default;
  // Lets the transport make progress; cheap. True once there is nothing left to wait for; wait() still has to be
  // called.
  virtual bool poll() { return false; }
  virtual void wait() = 0;
};

class Communicator {
 public:
  virtual ~Communicator() = default;
  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;

  // Sum over ranks, in place. fp32, fp64 and int64; bf16 is summed in fp32 and rounded once.
  virtual std::unique_ptr<PendingReduction> start_all_reduce_sum(at::Tensor tensor, const std::string& name) = 0;
  void all_reduce_sum(at::Tensor tensor, const std::string& name) { start_all_reduce_sum(tensor, name)->wait(); }
  virtual double sum(double value, const std::string& name) = 0;
  virtual double maximum(double value, const std::string& name) = 0;
  // Each rank's string, in rank order, on every rank.
  virtual std::vector<std::string> all_gather(const std::string& value, const std::string& name) = 0;
  // True on the lowest rank of each host (by the hosts' names): for work that is done once per host.
  bool first_on_host(const std::string& name);

  // After work that may have failed on some rank: throws the same Error on every rank if any rank passes one (the
  // lowest failing rank's, with "rank R of N (host): " before it where there are several ranks). Where the ranks cannot
  // agree, because one is gone, a rank that passes an Error throws that one, with the reason behind it.
  void agree(const std::optional<Error>& error, const std::string& name);
  // Runs `work` here and agrees on its outcome; the way to do I/O between collectives.
  template <typename Work>
  void together(const std::string& name, Work&& work) {
    std::optional<Error> failure;
    try {
      work();
    } catch (const Error& error) {
      failure = error;
    } catch (const std::bad_alloc&) {
      failure = Error(ExitCode::software, "out of memory in '" + name + "'");
    } catch (const std::exception& error) {
      failure = Error(ExitCode::software, error.what());
    }
    agree(failure, name);
  }
};

// MPI_Init_thread and MPI_Finalize as an object: the first one in main. Without mpirun the world is one rank.
// abort(code) ends all ranks at once.
class MpiSession {
 public:
  MpiSession(int& argc, char**& argv);
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] int local_rank() const { return local_rank_; }  // among the ranks of this host
  [[nodiscard]] int local_size() const { return local_size_; }  // ranks on this host
  // Compute threads for this rank: OMP_NUM_THREADS where it is set, else this rank's share of the cores it may run on
  // (mpirun binds ranks to cores of their own in some layouts and lets them share in others) and of its container's
  // quota of processor time, at least one.
  [[nodiscard]] int threads() const { return threads_; }
  [[noreturn]] void abort(int code) const;

 private:
  int rank_ = 0, size_ = 1, local_rank_ = 0, local_size_ = 1, threads_ = 1;
};

// Gives libtorch session.threads() threads. Local; before the first tensor operation.
void use_fair_share_of_cores(const MpiSession& session);

struct CommunicatorOptions {
  std::chrono::milliseconds timeout{std::chrono::minutes(30)};
  // Longest piece of one MPI call, whose counts are ints. Tests make it small.
  std::int64_t piece_elements = std::int64_t{1} << 30;
};

// Over a duplicate of MPI_COMM_WORLD with MPI_ERRORS_RETURN. MpiSession must be alive. CUDA tensors are staged through
// host memory, so that several ranks can share one GPU. A world of one among several Slurm tasks is refused with
// Error(config): srun without PMIx starts every task as a world of its own.
std::unique_ptr<Communicator> make_mpi_communicator(const CommunicatorOptions& options);

// NCCL for tensors on `cuda_device`, `host` for the rest. Throws Error(config) where this build or machine has no NCCL,
// or two ranks share a GPU.
std::unique_ptr<Communicator> make_nccl_communicator(std::unique_ptr<Communicator> host, int cuda_device,
                                                     const CommunicatorOptions& options);
// Whether this build brought the NCCL backend along, whatever the machine has. Local.
bool nccl_backend_built();
// Why NCCL cannot be used here; empty where it can: built, loaded, and a CUDA device answers it. Local.
std::string nccl_problem();

// Loads libtorch's CUDA half where an NVIDIA driver is present, so that the executable itself links only the CPU half
// and starts fast elsewhere. Before anything asks at::hasCUDA(), whose answer is remembered. Returns why CUDA tensors
// cannot be used, empty where they can. Local; may be repeated.
std::string load_cuda_support();

}  // namespace rim
