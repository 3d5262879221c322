#include "monitors/core/token_batches.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <numeric>

namespace rim {

std::vector<std::size_t> dealt_to_rank(const std::vector<std::int64_t>& lengths, int rank, int ranks) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t item) { return lengths[item]; });
  std::vector<std::size_t> own;
  for (auto i = static_cast<std::size_t>(rank); i < order.size(); i += static_cast<std::size_t>(ranks)) {
    own.push_back(order[i]);
  }
  return own;
}

std::vector<std::vector<std::size_t>> cut_into_batches(const std::vector<std::size_t>& items,
                                                       const std::vector<std::int64_t>& lengths,
                                                       std::int64_t batch_tokens) {
  std::vector<std::vector<std::size_t>> batches;
  for (const std::size_t item : items) {
    // Sorted: this item is the longest of its batch so far.
    const auto rows = batches.empty() ? 0 : static_cast<std::int64_t>(batches.back().size());
    if (rows == 0 || (rows + 1) * lengths[item] > batch_tokens) batches.emplace_back();
    batches.back().push_back(item);
  }
  return batches;
}

at::Tensor right_padded(const std::vector<const std::vector<TokenId>*>& sequences, at::Device device) {
  std::size_t longest = 0;
  for (const auto* sequence : sequences) longest = std::max(longest, sequence->size());
  at::Tensor tokens = at::zeros({static_cast<std::int64_t>(sequences.size()), static_cast<std::int64_t>(longest)},
                                at::TensorOptions().dtype(at::kLong));
  auto* row = tokens.mutable_data_ptr<std::int64_t>();
  for (const auto* sequence : sequences) {
    std::ranges::copy(*sequence, row);
    row += longest;
  }
  return tokens.to(device);
}

}  // namespace rim
