// What ranks say to each other. One interface, two backends: MPI for CPU tensors, NCCL for CUDA tensors (host scalars and
// strings always travel over MPI). Every member but rank(), size() and the destructor is COLLECTIVE: all ranks call it in
// the same order. Every wait has a name and a time limit; when it passes, Error(software) names rank and wait.
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

// A reduction under way. wait() completes it (not collective in itself, but each started reduction must be waited for).
class PendingReduction {
 public:
  virtual ~PendingReduction() = default;
  virtual void poll() {}  // lets the transport make progress; cheap
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
  virtual void broadcast(at::Tensor tensor, int root, const std::string& name) = 0;
  virtual double sum(double value, const std::string& name) = 0;
  virtual double maximum(double value, const std::string& name) = 0;
  // Each rank's string, in rank order, on every rank.
  virtual std::vector<std::string> all_gather(const std::string& value, const std::string& name) = 0;
  virtual void barrier(const std::string& name) = 0;

  // After work that may have failed on some rank: throws the same Error on every rank if any rank passes one (the lowest
  // failing rank's, with "rank R of N (host): " before it where there are several ranks).
  void agree(const std::optional<Error>& error, const std::string& name);
  // Runs `work` here and agrees on its outcome; the way to do I/O between collectives.
  template <typename Work>
  void together(const std::string& name, Work&& work) {
    std::optional<Error> failure;
    try {
      work();
    } catch (const Error& error) {
      failure = error;
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
  [[noreturn]] void abort(int code) const;

 private:
  int rank_ = 0, size_ = 1, local_rank_ = 0;
};

struct CommunicatorOptions {
  std::chrono::seconds timeout{1800};
};

// Over a duplicate of MPI_COMM_WORLD with MPI_ERRORS_RETURN. MpiSession must be alive.
std::unique_ptr<Communicator> make_mpi_communicator(const CommunicatorOptions& options);

// NCCL for tensors on `cuda_device`, `host` for the rest. Throws Error(config) where this build or machine has no NCCL,
// or two ranks share a GPU.
std::unique_ptr<Communicator> make_nccl_communicator(std::unique_ptr<Communicator> host, int cuda_device,
                                                     const CommunicatorOptions& options);
// True where the NCCL backend was built and a CUDA device and driver answer.
bool nccl_available();

}  // namespace rim
