#include "trainer/loop/training_loop.h"

#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "trainer/loop/trainable.h"
#include "trainer/loop/training_run.h"
#include "trainer/model/host_to_device.h"
#include "trainer/parallel/gradient_buckets.h"

namespace rim {
namespace {

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

at::Tensor to_tensor(const std::vector<TokenId>& values, const MicroBatch& batch) {
  return at::tensor(at::ArrayRef<TokenId>(values)).view({batch.rows, batch.length});
}

// Leaves in `buckets` the gradients of the mean loss over the trained tokens of all ranks and micro-batches, and
// returns that mean (fp64 scalar on the model's device). COLLECTIVE.
at::Tensor forward_backward(const Decoder& model, const StepBatch& batch, GradientBuckets& buckets,
                            Communicator& communicator) {
  const double weight = 1.0 / static_cast<double>(std::max<std::int64_t>(1, batch.trained_tokens_all_ranks));
  const at::Tensor upstream = at::full({}, weight, at::TensorOptions(at::kFloat).device(model.device()));
  at::Tensor loss = at::zeros({}, at::TensorOptions(at::kDouble).device(model.device()));
  buckets.zero();
  for (const MicroBatch& micro : batch.micro_batches) {
    if (&micro == &batch.micro_batches.back()) buckets.reduce_during_backward();
    // The loss looks at its targets on the host, so that nothing here waits for a GPU.
    const at::Tensor tokens = host_to_device(to_tensor(micro.tokens, micro), model.device());
    const at::Tensor sum = model.loss_sum(tokens, to_tensor(micro.targets, micro));
    sum.backward(upstream);
    loss += sum.detach();
  }
  buckets.finish();
  loss *= weight;
  communicator.all_reduce_sum(loss, "loss");
  return loss;
}

struct Measured {
  double loss = 0, grad_norm = 0;
};

// The step's one transfer to the host. Both are sums over ranks, so all ranks see the same and throw together.
Measured read_finite(const at::Tensor& loss, const at::Tensor& grad_norm, std::int64_t step) {
  const at::Tensor both = at::stack({loss, grad_norm.to(loss.options())}).cpu();
  const Measured measured{both[0].item<double>(), both[1].item<double>()};
  if (std::isfinite(measured.loss) && std::isfinite(measured.grad_norm)) return measured;
  throw Error(ExitCode::software, "step " + std::to_string(step + 1) + ": loss " + std::to_string(measured.loss) +
                                      ", gradient norm " + std::to_string(measured.grad_norm) +
                                      ": training diverged, the weights were not changed by this step; lower "
                                      "learning_rate and resume from the last checkpoint");
}

}  // namespace

TrainingResult train(Decoder& model, const Loader& loader, const TrainingOptions& options, Communicator& communicator,
                     Observer* observer, ProgressSink* progress, const std::function<bool()>& stop_requested) {
  const std::vector<NamedParameter> trainable = select_trainable(model, options.trainable);
  GradientBuckets buckets(trainable, communicator, options.bucket_bytes);
  AdamW optimizer(trainable, options.optimizer);
  TrainingRun run(model, loader, options, communicator, observer, progress);
  const auto stops = [&] { return run.agree_on_stopping(stop_requested && stop_requested()); };
  run.begin(optimizer);
  if (stops()) return run.result(StopReason::preempted);
  if (run.observation_due()) run.observe();
  if (!run.finished() && stops()) return run.result(StopReason::preempted);
  while (!run.finished()) {
    const Stopwatch stopwatch;
    const StepBatch batch = loader.batch_for_step(run.step());
    const at::Tensor loss = forward_backward(model, batch, buckets, communicator);
    const at::Tensor norm = clip_gradient_norm(buckets.gradients(), options.max_grad_norm);
    const Measured measured = read_finite(loss, norm, run.step());
    const double learning_rate = options.schedule.at(run.step());
    optimizer.step(buckets.gradients(), learning_rate);
    run.advance(measured.loss, learning_rate, measured.grad_norm, batch.tokens_all_ranks, stopwatch.seconds());

    const bool stop = stops();
    if (run.checkpoint_due() || stop) run.save(optimizer);
    // Whoever asks to stop may not wait for an observation; the resumed run begins with it.
    if (stop) return run.result(StopReason::preempted);
    if (run.observation_due()) run.observe();
  }
  return run.result(StopReason::finished);
}

}  // namespace rim
