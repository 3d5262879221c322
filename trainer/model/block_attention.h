// Causal attention on the CPU in blocks of queries, for training and prefill.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace rim {

// query: [batch, heads, time, head size]; key, value: [batch, key-value heads, time, head size]; fp32 or bf16 on the
// CPU, last dimension contiguous. A query sees `window` positions up to its own. Returns [batch, time, heads, head
// size]. Keys that no query of a block sees are skipped, so causality and windows save work. Scores and softmax are
// fp32. Memory beyond inputs and output grows with time, not its square: backward computes the weights again (as flash
// attention, arXiv 2205.14135, does). One task for each sequence and key-value head. Differentiable once.
at::Tensor attend_in_blocks(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                            std::int64_t window);

}  // namespace rim
