#include "trainer/model/attention.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "trainer/model/block_attention.h"
#include "trainer/model/kernel_dispatch.h"

namespace rim {
namespace {

// From these lengths on blocks are faster than SDPA (docs/benchmarks.md): in bf16, and under a window, where SDPA also
// computes what the mask hides.
constexpr std::int64_t kShortestInBfloat16 = 128;
constexpr std::int64_t kShortestWithWindow = 512;
// Sequences times key-value heads. With fewer SDPA, which also splits the queries, keeps more threads busy. Not
// compared with the number of threads: the shape alone decides, so that resuming with other threads changes no bit
// here.
constexpr std::int64_t kFewestTasks = 8;

// bool [batch or 1, 1, time, key time], true where the query sees the key.
at::Tensor visible_keys(const AttentionInputs& inputs) {
  const auto whole = inputs.query.options().dtype(at::kLong);
  const at::Tensor keys = at::arange(inputs.key.size(2), whole);
  const at::Tensor queries = inputs.positions.defined()
                                 ? inputs.positions.unsqueeze(1).unsqueeze(-1)
                                 : at::arange(inputs.query.size(2), whole).unsqueeze(-1).unsqueeze(0).unsqueeze(0);
  at::Tensor visible = keys <= queries;
  if (inputs.window) visible = visible.logical_and(keys > queries - *inputs.window);
  return visible;
}

bool is_plainly_causal(const AttentionInputs& inputs) {
  return !inputs.positions.defined() && !(inputs.window && *inputs.window < inputs.key.size(2));
}

at::Tensor repeat_heads(const at::Tensor& x, std::int64_t copies) {
  return copies == 1 ? x : x.repeat_interleave(copies, 1);
}

at::Tensor attend_explicitly(const AttentionInputs& inputs, const PatternEditor& edit_pattern) {
  const std::int64_t group = inputs.query.size(1) / inputs.key.size(1);
  const double scale = 1.0 / std::sqrt(static_cast<double>(inputs.query.size(-1)));
  const at::Tensor scores = at::matmul(inputs.query, repeat_heads(inputs.key, group).transpose(-1, -2)) * scale;
  const at::Tensor masked =
      scores.masked_fill(visible_keys(inputs).logical_not(), -std::numeric_limits<double>::infinity());
  at::Tensor pattern = at::softmax(masked, -1, at::kFloat).to(inputs.query.scalar_type());
  edit_pattern(pattern);
  return at::matmul(pattern, repeat_heads(inputs.value, group));
}

// On GPUs only SDPA's flash kernel takes grouped heads, and it takes neither a mask nor fp32. Copied, they keep SDPA
// from its unfused fallback there (transformers decides likewise).
bool needs_copied_heads(const AttentionInputs& inputs) {
  return inputs.query.is_cuda() && (!is_plainly_causal(inputs) || inputs.query.scalar_type() == at::kFloat);
}

bool suits_blocks(const AttentionInputs& inputs) {
  if (!has_cpu_kernels(inputs.query) || inputs.positions.defined()) return false;
  const bool half = inputs.query.scalar_type() == at::kBFloat16;
  const std::int64_t time = inputs.query.size(2);
  if (is_plainly_causal(inputs) && !half) return false;
  const bool enough_tasks = inputs.key.size(0) * inputs.key.size(1) >= kFewestTasks;
  return enough_tasks && time >= (half ? kShortestInBfloat16 : kShortestWithWindow);
}

}  // namespace

at::Tensor attend_fused(const AttentionInputs& inputs, bool copy_heads) {
  const bool causal = is_plainly_causal(inputs);
  const std::optional<at::Tensor> mask = causal ? std::optional<at::Tensor>() : visible_keys(inputs);
  const std::int64_t group = inputs.query.size(1) / inputs.key.size(1);
  const std::int64_t copies = copy_heads ? group : 1;
  return at::scaled_dot_product_attention(inputs.query, repeat_heads(inputs.key, copies),
                                          repeat_heads(inputs.value, copies), mask, 0.0, causal, std::nullopt,
                                          copies != group);
}

at::Tensor attend(const AttentionInputs& inputs, const PatternEditor& edit_pattern) {
  if (!edit_pattern && suits_blocks(inputs)) {
    const std::int64_t window = inputs.window.value_or(inputs.key.size(2));
    return attend_in_blocks(inputs.query, inputs.key, inputs.value, window).flatten(2);
  }
  const at::Tensor mixed =
      edit_pattern ? attend_explicitly(inputs, edit_pattern) : attend_fused(inputs, needs_copied_heads(inputs));
  return mixed.transpose(1, 2).flatten(2).contiguous();
}

}  // namespace rim
