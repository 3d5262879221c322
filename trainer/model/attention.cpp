#include "trainer/model/attention.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <limits>

#include "trainer/model/block_attention.h"
#include "trainer/model/kernel_dispatch.h"

namespace rim {
namespace {

// Below this many queries the calls between the blocks' small products cost more than they save.
constexpr std::int64_t kShortestForBlocks = 128;

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

at::Tensor attend_fused(const AttentionInputs& inputs) {
  const bool causal = is_plainly_causal(inputs);
  const std::optional<at::Tensor> mask = causal ? std::optional<at::Tensor>() : visible_keys(inputs);
  const bool grouped = inputs.query.size(1) != inputs.key.size(1);
  return at::scaled_dot_product_attention(inputs.query, inputs.key, inputs.value, mask, 0.0, causal, std::nullopt,
                                          grouped);
}

// With fewer tasks than threads the fused kernel, which also splits the queries, keeps more of them busy.
bool suits_blocks(const AttentionInputs& inputs) {
  return has_cpu_kernels(inputs.query) && !inputs.positions.defined() && inputs.query.size(2) >= kShortestForBlocks &&
         inputs.key.size(0) * inputs.key.size(1) >= at::get_num_threads();
}

}  // namespace

at::Tensor attend(const AttentionInputs& inputs, const PatternEditor& edit_pattern) {
  if (!edit_pattern && suits_blocks(inputs)) {
    const std::int64_t window = inputs.window.value_or(inputs.key.size(2));
    return attend_in_blocks(inputs.query, inputs.key, inputs.value, window).flatten(2);
  }
  const at::Tensor mixed = edit_pattern ? attend_explicitly(inputs, edit_pattern) : attend_fused(inputs);
  return mixed.transpose(1, 2).flatten(2).contiguous();
}

}  // namespace rim
