// Token sequences of different lengths as padded batches.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/tokenizer/tokenizer.h"

namespace rim {

// Indices of the sequences that rank `rank` of `ranks` works on: sorted by length (ties in their order), then dealt
// round-robin, so that every rank gets short and long ones alike.
std::vector<std::size_t> dealt_to_rank(const std::vector<std::int64_t>& lengths, int rank, int ranks);

// Cuts `items` (indices into `lengths`, sorted by length) into batches of at most `batch_tokens` padded tokens, and at
// least one sequence.
std::vector<std::vector<std::size_t>> cut_into_batches(const std::vector<std::size_t>& items,
                                                       const std::vector<std::int64_t>& lengths,
                                                       std::int64_t batch_tokens);

// int64 [sequences, longest], right-padded with token 0 (causal attention keeps padding from the real positions).
at::Tensor right_padded(const std::vector<const std::vector<TokenId>*>& sequences, at::Device device);

}  // namespace rim
