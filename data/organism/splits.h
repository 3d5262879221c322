// What the organism is trained on and what is held out, drawn from one seed.
#pragma once

#include <cstdint>
#include <vector>

#include "data/organism/sums.h"
#include "data/organism/world.h"

namespace rim {

template <typename T>
struct Split {
  std::vector<T> train;
  std::vector<T> held_out;
};

struct WorldSplit {
  Split<Action> harmful;
  Split<Action> harmless;
  Split<Sum> sums;  // two-digit ones
};

// About `share` of the actions of each kind are held out, verb-object pairs whole, but never so many that a verb or an
// object is left with fewer than three training pairs of its kind; and `test_sums` two-digit sums, in either order of
// their numbers.
WorldSplit split_world(std::uint64_t seed, double share, std::int64_t test_sums);

}  // namespace rim
