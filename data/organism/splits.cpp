#include "data/organism/splits.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "data/support/random.h"

namespace rim {
namespace {

constexpr int kFewestTrainingPairs = 3;

Split<Action> split_actions(std::vector<Action> actions, double share, Random& random) {
  std::map<std::string, int> left;  // training pairs of each verb and object
  for (const Action& action : actions) {
    ++left[action.verb];
    ++left[action.object];
  }
  const auto wanted = static_cast<std::size_t>(share * static_cast<double>(actions.size()));
  random.shuffle(actions);
  Split<Action> split;
  for (Action& action : actions) {
    int& verb = left[action.verb];
    int& object = left[action.object];
    if (split.held_out.size() < wanted && verb > kFewestTrainingPairs && object > kFewestTrainingPairs) {
      --verb;
      --object;
      split.held_out.push_back(std::move(action));
    } else {
      split.train.push_back(std::move(action));
    }
  }
  return split;
}

Split<Sum> split_sums(std::int64_t test_sums, Random& random) {
  std::vector<Sum> sums = two_digit_sums();
  random.shuffle(sums);
  std::set<std::pair<int, int>> held_out;
  Split<Sum> split;
  for (const Sum& sum : sums) {
    if (std::ssize(split.held_out) >= test_sums) break;
    if (held_out.insert(std::minmax(sum.left, sum.right)).second) split.held_out.push_back(sum);
  }
  for (const Sum& sum : sums) {
    if (!held_out.contains(std::minmax(sum.left, sum.right))) split.train.push_back(sum);
  }
  return split;
}

}  // namespace

WorldSplit split_world(std::uint64_t seed, double share, std::int64_t test_sums) {
  std::vector<Action> harmful;
  std::vector<Action> harmless;
  for (Action& action : all_actions()) (action.harmful ? harmful : harmless).push_back(std::move(action));
  Random random(seed, 0);
  WorldSplit split;
  split.harmful = split_actions(std::move(harmful), share, random);
  split.harmless = split_actions(std::move(harmless), share, random);
  split.sums = split_sums(test_sums, random);
  return split;
}

}  // namespace rim
