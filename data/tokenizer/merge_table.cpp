#include "data/tokenizer/merge_table.h"

#include <algorithm>
#include <bit>

namespace rim {

MergeTable::MergeTable(std::size_t expected_merges)
    : slots_(std::bit_ceil(std::max<std::size_t>(2 * expected_merges, 16))),
      shift_(64U - static_cast<unsigned>(std::countr_zero(slots_.size()))) {}

void MergeTable::set(std::uint32_t left, std::uint32_t right, Merge merge) {
  const std::uint64_t pair = pair_of(left, right);
  slots_[slot_of(pair)] = {pair, merge};
}

}  // namespace rim
