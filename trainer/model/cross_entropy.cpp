#include "trainer/model/cross_entropy.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "data/support/error.h"

namespace rim {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kLogitsPerChunk = 1 << 20;

struct LossAndGradients {
  at::Tensor loss;
  at::Tensor hidden_gradient;  // undefined where not asked for
  at::Tensor head_gradient;
};

// Positions that have a target, in order. On the CPU also checks the targets.
at::Tensor trained_positions(const at::Tensor& targets, std::int64_t vocabulary) {
  if (targets.is_cpu() && targets.numel() > 0) {
    const at::Tensor wrong = (targets >= vocabulary).logical_or((targets < 0).logical_and(targets != kIgnoredTarget));
    if (wrong.any().item<bool>()) {
      throw Error(ExitCode::bad_data,
                  "a target token lies outside the model's vocabulary of " + std::to_string(vocabulary));
    }
  }
  return (targets != kIgnoredTarget).nonzero().squeeze(-1);
}

LossAndGradients loss_and_gradients(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets,
                                    bool want_hidden, bool want_head) {
  const auto fp32 = hidden.options().dtype(at::kFloat);
  LossAndGradients result{at::zeros({}, fp32), {}, {}};
  if (want_hidden) result.hidden_gradient = at::zeros_like(hidden);
  if (want_head) result.head_gradient = at::zeros(head.sizes(), fp32);
  const at::Tensor positions = trained_positions(targets, head.size(0));
  const std::int64_t chunk = std::max<std::int64_t>(64, kLogitsPerChunk / head.size(0));
  for (const at::Tensor& part : positions.split(chunk)) {
    if (part.numel() == 0) break;
    const at::Tensor rows = hidden.index_select(0, part);
    const at::Tensor target = targets.index_select(0, part).unsqueeze(-1);
    const at::Tensor logits = at::matmul(rows, head.t()).to(at::kFloat);
    const at::Tensor normalizer = logits.logsumexp(-1, true);
    result.loss += (normalizer - logits.gather(-1, target)).sum();
    if (!want_hidden && !want_head) continue;
    at::Tensor gradient = logits.sub_(normalizer).exp_();
    gradient.scatter_add_(-1, target, at::full_like(target, -1.0, fp32));
    gradient = gradient.to(hidden.scalar_type());
    if (want_hidden) result.hidden_gradient.index_copy_(0, part, at::matmul(gradient, head));
    if (want_head) result.head_gradient += at::matmul(gradient.t(), rows);
  }
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

at::Tensor cross_entropy_sum(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets) {
  const bool want_hidden = at::GradMode::is_enabled() && hidden.requires_grad();
  const bool want_head = at::GradMode::is_enabled() && head.requires_grad();
  if (!want_hidden && !want_head) return loss_and_gradients(hidden, head, targets, false, false).loss;
  return CrossEntropySum::apply(hidden, head, targets, want_hidden, want_head);
}

}  // namespace rim
