// Flat gradient storage whose buckets are summed over ranks while the backward pass still runs (as PyTorch's
// DistributedDataParallel does, arXiv 2006.15704).
//
// Not thread-safe, but the hooks may run on autograd's device thread: autograd orders them before backward() returns.
// Never call an optimizer's or module's zero_grad() on these parameters: the gradients are views of the buckets.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "trainer/model/named_parameter.h"
#include "trainer/parallel/communicator.h"

namespace rim {

// Gradients are accumulated and reduced in fp32 whatever the parameters' dtype. For fp32 parameters the slices are the
// parameters' own .grad; for bf16 ones each new gradient is added to the fp32 slice as soon as autograd has it.
// Buckets are filled in reverse parameter order, which is the order backward produces them.
class GradientBuckets {
 public:
  GradientBuckets(std::vector<NamedParameter> trainable, Communicator& communicator,
                  std::int64_t bucket_bytes = 25 * 1024 * 1024);
  ~GradientBuckets();
  GradientBuckets(const GradientBuckets&) = delete;
  GradientBuckets& operator=(const GradientBuckets&) = delete;

  // Zeroes all gradients. Local; before the first micro-batch of a step.
  void zero();
  // Before the last micro-batch's backward: from now on each full bucket starts its all-reduce, in the same order on
  // all ranks. A gradient that arrives twice in that pass would be lost to the other ranks: Error(software). Local.
  void reduce_during_backward();
  // COLLECTIVE: starts what backward left out (parameters without gradient) and waits for all.
  void finish();
  // fp32 slice for each trainable parameter, in its shape.
  [[nodiscard]] const std::vector<at::Tensor>& gradients() const;

 private:
  struct Implementation;
  std::shared_ptr<Implementation> implementation_;
};

}  // namespace rim
