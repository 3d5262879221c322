#include "trainer/parallel/mpi_reduction.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace rim {
namespace {

at::ScalarType wire_type(const at::Tensor& tensor, const std::string& name) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
    case at::kBFloat16:
      return at::kFloat;
    case at::kDouble:
      return at::kDouble;
    case at::kLong:
      return at::kLong;
    default:
      throw Error(ExitCode::software,
                  "cannot sum " + std::string(at::toString(tensor.scalar_type())) + " over ranks in '" + name + "'");
  }
}

MPI_Datatype mpi_type(at::ScalarType type) {
  if (type == at::kFloat) return MPI_FLOAT;
  return type == at::kDouble ? MPI_DOUBLE : MPI_INT64_T;
}

}  // namespace

MpiReduction::MpiReduction(MPI_Comm communicator, at::Tensor tensor, std::string name, MpiWaiter waiter,
                           std::int64_t piece_elements)
    : tensor_(std::move(tensor)), name_(std::move(name)), waiter_(waiter) {
  const at::NoGradGuard no_grad;
  staged_ = tensor_.detach().to(at::kCPU, wire_type(tensor_, name_)).contiguous();
  start(communicator, piece_elements);
}

// MPI may still write into the buffer of a reduction that nobody waited for, and a collective cannot be cancelled. That
// happens only while an error ends the run, so the buffer is left allocated instead.
MpiReduction::~MpiReduction() {
  if (!requests_.empty()) static_cast<void>(staged_.unsafeReleaseTensorImpl());
}

void MpiReduction::start(MPI_Comm communicator, std::int64_t piece_elements) {
  auto* bytes = static_cast<std::byte*>(staged_.mutable_data_ptr());
  const auto width = static_cast<std::int64_t>(staged_.element_size());
  for (std::int64_t first = 0; first < staged_.numel(); first += piece_elements) {
    const auto count = std::min(piece_elements, staged_.numel() - first);
    requests_.push_back(MPI_REQUEST_NULL);
    check_mpi(MPI_Iallreduce(MPI_IN_PLACE, bytes + first * width, static_cast<int>(count),
                             mpi_type(staged_.scalar_type()), MPI_SUM, communicator, &requests_.back()),
              "MPI_Iallreduce", name_);
  }
}

bool MpiReduction::poll() { return requests_.empty() || test_all(requests_, name_); }

void MpiReduction::wait() {
  if (requests_.empty()) return;
  waiter_.wait(requests_, name_);
  requests_.clear();
  const at::NoGradGuard no_grad;
  if (staged_.data_ptr() != tensor_.data_ptr()) tensor_.copy_(staged_);
}

}  // namespace rim
