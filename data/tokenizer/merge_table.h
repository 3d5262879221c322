// Which pairs of tokens merge, how early, and into what: a flat hash table, because it is asked some ten times a word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rim {

struct Merge {
  std::uint32_t rank;    // lower merges first
  std::uint32_t result;  // id of the merged token
};

class MergeTable {
 public:
  explicit MergeTable(std::size_t expected_merges);

  // A later merge of the same pair replaces the earlier one.
  void set(std::uint32_t left, std::uint32_t right, Merge merge);
  // Null where the pair does not merge.
  [[nodiscard]] const Merge* find(std::uint32_t left, std::uint32_t right) const {
    const Slot& slot = slots_[slot_of(pair_of(left, right))];
    return slot.pair == kNoPair ? nullptr : &slot.merge;
  }

 private:
  static constexpr std::uint64_t kNoPair = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t pair = kNoPair;
    Merge merge{};
  };

  static std::uint64_t pair_of(std::uint32_t left, std::uint32_t right) { return std::uint64_t{left} << 32U | right; }
  // Where `pair` is, or the free slot where it would be: linear probing from a multiplicative hash.
  [[nodiscard]] std::size_t slot_of(std::uint64_t pair) const {
    std::size_t index = static_cast<std::size_t>((pair * 0x9E3779B97F4A7C15ULL) >> shift_);
    while (slots_[index].pair != pair && slots_[index].pair != kNoPair) index = (index + 1) & (slots_.size() - 1);
    return index;
  }

  std::vector<Slot> slots_;  // a power of two of them, at most half used
  unsigned shift_ = 0;
};

}  // namespace rim
