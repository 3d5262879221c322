#include "trainer/model/cross_entropy.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "data/support/error.h"
#include "trainer/model/cross_entropy_kernels.h"
#include "trainer/model/host_to_device.h"
#include "trainer/model/kernel_dispatch.h"
#include "trainer/model/matmul.h"
#include "trainer/model/parallel_rows.h"

namespace rim {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kLogitsPerChunk = 1 << 20;
constexpr std::int64_t kFewestRows = 512;

struct LossAndGradients {
  at::Tensor loss;
  at::Tensor hidden_gradient;  // undefined where not asked for
  at::Tensor head_gradient;
};

// Positions that have a target, in order. Checks the targets. On the CPU.
at::Tensor trained_positions(const at::Tensor& targets, std::int64_t vocabulary) {
  if (targets.numel() > 0) {
    const at::Tensor wrong = (targets >= vocabulary).logical_or((targets < 0).logical_and(targets != kIgnoredTarget));
    if (wrong.any().item<bool>()) {
      throw Error(ExitCode::bad_data,
                  "a target token lies outside the model's vocabulary of " + std::to_string(vocabulary));
    }
  }
  return (targets != kIgnoredTarget).nonzero().squeeze(-1);
}

// Loss of a chunk's logits; where asked for, the logits turn into their gradient in place.
at::Tensor chunk_loss_by_kernel(const at::Tensor& logits, const at::Tensor& targets, bool want_gradient) {
  const at::Tensor losses = at::zeros({row_pieces(logits.size(0))}, at::kDouble);
  with_kernel_type(logits.scalar_type(), [&]<typename T>(T) {
    const LogitRows<T> rows{output_pointer<T>(logits), input_pointer<std::int64_t>(targets), logits.size(1),
                            want_gradient};
    parallel_rows(logits.size(0), [&](std::int64_t begin, std::int64_t end, std::int64_t piece) {
      output_pointer<double>(losses)[piece] = cross_entropy_rows(rows, begin, end);
    });
  });
  return losses.sum();
}

at::Tensor chunk_loss(at::Tensor& logits, const at::Tensor& targets, bool want_gradient) {
  if (has_cpu_kernels(logits)) return chunk_loss_by_kernel(logits, targets, want_gradient);
  const at::Tensor wide = logits.to(at::kFloat);
  const at::Tensor column = targets.unsqueeze(-1);
  const at::Tensor normalizer = wide.logsumexp(-1, true);
  const at::Tensor loss = (normalizer - wide.gather(-1, column)).sum(at::kDouble);
  if (want_gradient) {
    const at::Tensor gradient = (wide - normalizer).exp_();
    gradient.scatter_add_(-1, column, at::full_like(column, -1.0, wide.options()));
    logits = gradient.to(logits.scalar_type());
  }
  return loss;
}

LossAndGradients loss_and_gradients(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets,
                                    bool want_hidden, bool want_head) {
  const auto fp32 = hidden.options().dtype(at::kFloat);
  LossAndGradients result{at::zeros({}, fp32.dtype(at::kDouble)), {}, {}};
  if (want_hidden) result.hidden_gradient = at::zeros_like(hidden);
  if (want_head) result.head_gradient = at::zeros(head.sizes(), fp32);
  const at::Tensor positions_on_host = trained_positions(targets, head.size(0));
  const at::Tensor positions = host_to_device(positions_on_host, hidden.device());
  const at::Tensor trained = host_to_device(targets.index_select(0, positions_on_host), hidden.device());
  const std::int64_t chunk = cross_entropy_chunk_rows(head.size(0));
  for (std::int64_t begin = 0; begin < positions.size(0); begin += chunk) {
    const std::int64_t count = std::min(chunk, positions.size(0) - begin);
    const at::Tensor part = positions.narrow(0, begin, count);
    const at::Tensor rows = hidden.index_select(0, part);
    at::Tensor logits = product_with_transposed(rows, head);
    result.loss += chunk_loss(logits, trained.narrow(0, begin, count), want_hidden || want_head);
    if (want_hidden) result.hidden_gradient.index_copy_(0, part, matrix_product(logits, head));
    if (want_head) result.head_gradient += matrix_product(logits.t(), rows);
  }
  result.loss = result.loss.to(at::kFloat);
  if (want_head) result.head_gradient = result.head_gradient.to(head.scalar_type());
  return result;
}

class CrossEntropySum : public torch::autograd::Function<CrossEntropySum> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& hidden, const at::Tensor& head,
                            const at::Tensor& targets, bool want_hidden, bool want_head) {
    const LossAndGradients result = loss_and_gradients(hidden, head, targets, want_hidden, want_head);
    context->save_for_backward({result.hidden_gradient, result.head_gradient});
    return result.loss;
  }
  static variable_list backward(AutogradContext* context, const variable_list& upstream) {
    const variable_list saved = context->get_saved_variables();
    const auto scaled = [&](const at::Tensor& gradient) {
      return gradient.defined() ? gradient * upstream[0] : at::Tensor();
    };
    return {scaled(saved[0]), scaled(saved[1]), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

std::int64_t cross_entropy_chunk_rows(std::int64_t vocabulary) {
  return std::max(kFewestRows, kLogitsPerChunk / vocabulary);
}

at::Tensor cross_entropy_sum(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets) {
  const bool want_hidden = at::GradMode::is_enabled() && hidden.requires_grad();
  const bool want_head = at::GradMode::is_enabled() && head.requires_grad();
  if (!want_hidden && !want_head) {
    const at::NoGradGuard no_gradients;
    return loss_and_gradients(hidden, head, targets.cpu(), false, false).loss;
  }
  return CrossEntropySum::apply(hidden, head, targets.cpu(), want_hidden, want_head);
}

}  // namespace rim
