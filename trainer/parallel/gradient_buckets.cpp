#include "trainer/parallel/gradient_buckets.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace rim {
namespace {

// Slices start at multiples of 64 bytes, so that vectorised kernels find each as aligned as a tensor of its own.
constexpr std::int64_t kAlignment = 16;  // fp32 elements

std::int64_t padded(std::int64_t elements) { return (elements + kAlignment - 1) / kAlignment * kAlignment; }

struct Bucket {
  at::Tensor flat;                      // fp32
  std::vector<std::size_t> parameters;  // indices into the trainable parameters
  std::size_t missing = 0;              // gradients still to come in this backward pass
  std::unique_ptr<PendingReduction> reduction;
};

// Parameters of consecutive indices, from the last to the first, cut where a bucket would pass its size.
std::vector<Bucket> plan_buckets(const std::vector<NamedParameter>& trainable, std::int64_t bucket_bytes) {
  const std::int64_t limit = bucket_bytes / static_cast<std::int64_t>(sizeof(float));
  std::vector<Bucket> buckets;
  std::int64_t filled = 0;
  for (std::size_t i = trainable.size(); i-- > 0;) {
    const std::int64_t elements = padded(trainable[i].tensor.numel());
    if (buckets.empty() || filled + elements > limit) {
      buckets.emplace_back();
      filled = 0;
    }
    buckets.back().parameters.push_back(i);
    filled += elements;
  }
  return buckets;
}

}  // namespace

struct GradientBuckets::Implementation {
  Implementation(std::vector<NamedParameter> parameters, Communicator& all_ranks, std::int64_t bucket_bytes);

  void allocate(Bucket& bucket, std::size_t index);
  void on_gradient(std::size_t parameter);
  void absorb(std::size_t parameter);
  void start_full_buckets();
  void start(std::size_t bucket);

  std::vector<NamedParameter> trainable;
  Communicator& communicator;
  std::vector<Bucket> buckets;
  std::vector<std::size_t> bucket_of;  // per parameter
  std::vector<bool> arrived;           // per parameter, in the reducing pass
  std::vector<at::Tensor> slices;      // per parameter
  std::size_t started = 0;             // buckets whose reduction was started in this pass
  std::size_t complete = 0;            // of those, the first ones that need no more polling
  bool reducing = false;
};

namespace {

class ArrivalHook : public torch::autograd::PostAccumulateGradHook {
 public:
  explicit ArrivalHook(std::function<void()> on_arrival) : on_arrival_(std::move(on_arrival)) {}
  void operator()(const torch::autograd::Variable&) override { on_arrival_(); }

 private:
  std::function<void()> on_arrival_;
};

}  // namespace

GradientBuckets::Implementation::Implementation(std::vector<NamedParameter> parameters, Communicator& all_ranks,
                                                std::int64_t bucket_bytes)
    : trainable(std::move(parameters)),
      communicator(all_ranks),
      buckets(plan_buckets(trainable, bucket_bytes)),
      bucket_of(trainable.size()),
      arrived(trainable.size(), false),
      slices(trainable.size()) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < buckets.size(); ++i) allocate(buckets[i], i);
}

void GradientBuckets::Implementation::allocate(Bucket& bucket, std::size_t index) {
  std::int64_t elements = 0;
  for (const std::size_t i : bucket.parameters) elements += padded(trainable[i].tensor.numel());
  const at::Tensor& first = trainable[bucket.parameters.front()].tensor;
  bucket.flat = at::zeros({elements}, first.options().dtype(at::kFloat).requires_grad(false));
  std::int64_t offset = 0;
  for (const std::size_t i : bucket.parameters) {
    const at::Tensor& parameter = trainable[i].tensor;
    slices[i] = bucket.flat.narrow(0, offset, parameter.numel()).view(parameter.sizes());
    bucket_of[i] = index;
    offset += padded(parameter.numel());
    // Autograd adds to a gradient that is already there in place.
    if (parameter.scalar_type() == at::kFloat) parameter.mutable_grad() = slices[i];
  }
}

void GradientBuckets::Implementation::on_gradient(std::size_t parameter) {
  const at::NoGradGuard no_grad;
  if (trainable[parameter].tensor.scalar_type() != at::kFloat) absorb(parameter);
  if (!reducing) return;
  if (arrived[parameter]) {
    throw Error(ExitCode::software, "the gradient of " + trainable[parameter].name +
                                        " arrived twice in one backward pass; its reduction has already started");
  }
  arrived[parameter] = true;
  --buckets[bucket_of[parameter]].missing;
  start_full_buckets();
  // Gives the transport a chance to move on: MPI does so only inside calls, and then for all that is under way.
  while (complete < started && buckets[complete].reduction->poll()) ++complete;
}

void GradientBuckets::Implementation::absorb(std::size_t parameter) {
  at::Tensor& gradient = trainable[parameter].tensor.mutable_grad();
  slices[parameter].add_(gradient);
  gradient.reset();
}

void GradientBuckets::Implementation::start_full_buckets() {
  while (started < buckets.size() && buckets[started].missing == 0) start(started);
}

void GradientBuckets::Implementation::start(std::size_t bucket) {
  buckets[bucket].reduction =
      communicator.start_all_reduce_sum(buckets[bucket].flat, "gradient bucket " + std::to_string(bucket));
  ++started;
}

GradientBuckets::GradientBuckets(std::vector<NamedParameter> trainable, Communicator& communicator,
                                 std::int64_t bucket_bytes)
    : implementation_(std::make_shared<Implementation>(std::move(trainable), communicator, bucket_bytes)) {
  for (std::size_t i = 0; i < implementation_->trainable.size(); ++i) {
    const at::Tensor& parameter = implementation_->trainable[i].tensor;
    // One rank with fp32 gradients has nothing to do when one arrives.
    if (communicator.size() == 1 && parameter.scalar_type() == at::kFloat) continue;
    const std::weak_ptr<Implementation> weak = implementation_;
    torch::autograd::impl::set_post_acc_grad_hooks(parameter, std::make_unique<ArrivalHook>([weak, i] {
                                                     if (const auto alive = weak.lock()) alive->on_gradient(i);
                                                   }));
  }
}

GradientBuckets::~GradientBuckets() {
  for (const NamedParameter& parameter : implementation_->trainable) {
    torch::autograd::impl::set_post_acc_grad_hooks(parameter.tensor, nullptr);
    parameter.tensor.mutable_grad().reset();
  }
}

void GradientBuckets::zero() {
  const at::NoGradGuard no_grad;
  for (Bucket& bucket : implementation_->buckets) bucket.flat.zero_();
}

void GradientBuckets::reduce_during_backward() {
  Implementation& self = *implementation_;
  if (self.communicator.size() == 1) return;
  for (Bucket& bucket : self.buckets) bucket.missing = bucket.parameters.size();
  std::fill(self.arrived.begin(), self.arrived.end(), false);
  self.started = 0;
  self.complete = 0;
  self.reducing = true;
}

void GradientBuckets::finish() {
  Implementation& self = *implementation_;
  if (self.communicator.size() == 1) return;
  if (!self.reducing) reduce_during_backward();
  while (self.started < self.buckets.size()) self.start(self.started);
  for (Bucket& bucket : self.buckets) {
    bucket.reduction->wait();
    bucket.reduction.reset();
  }
  self.reducing = false;
}

const std::vector<at::Tensor>& GradientBuckets::gradients() const { return implementation_->slices; }

}  // namespace rim
