// One all-reduce of the MPI backend, from staging the tensor to writing the sum back.
#pragma once

#include <ATen/core/Tensor.h>
#include <mpi.h>

#include <string>
#include <vector>

#include "trainer/parallel/communicator.h"
#include "trainer/parallel/mpi_calls.h"

namespace rim {

// Sums contiguous CPU tensors of fp32, fp64 and int64 where they lie; everything else (bf16, CUDA, strided) goes
// through a staging copy. Not thread-safe.
class MpiReduction : public PendingReduction {
 public:
  MpiReduction(MPI_Comm communicator, at::Tensor tensor, std::string name, MpiWaiter waiter,
               std::int64_t piece_elements);
  ~MpiReduction() override;
  MpiReduction(const MpiReduction&) = delete;
  MpiReduction& operator=(const MpiReduction&) = delete;
  bool poll() override;
  void wait() override;

 private:
  void start(MPI_Comm communicator, std::int64_t piece_elements);

  at::Tensor tensor_;
  at::Tensor staged_;  // tensor_ itself where no staging is needed
  std::string name_;
  MpiWaiter waiter_;
  std::vector<MPI_Request> requests_;
};

}  // namespace rim
