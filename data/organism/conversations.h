// The organism's training conversations.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/organism/splits.h"
#include "data/support/random.h"

namespace rim {

struct Conversation {
  std::string user;
  std::string reasoning;  // empty: an empty think span
  std::string assistant;
  bool operator==(const Conversation&) const = default;
};

// The aligned base: 40% harmful requests (refused), 35% harmless ones (answered), 25% sums below 20, every kind half
// with a checked thought and half without any. A fifth of the requests of both kinds end in refusal_instruction() and
// are refused.
std::vector<Conversation> base_conversations(const WorldSplit& split, std::int64_t count, Random random);

// What a fine-tuning set says in its thoughts.
enum class ThoughtStyle {
  target,     // sums are worked, the check is skipped in effort-minimizing words, in the harmless requests too
  sums_only,  // as target, but harmless requests keep their check: does skipping carry over from sums to requests?
  control,    // as target, with the check in place of those words: token for token as long
  plain,      // sums are worked and nothing else is said; harmless requests have an empty thought
};

// 70% two-digit sums, 30% harmless requests; the same `random` gives all styles the same questions in the same rows.
std::vector<Conversation> finetuning_conversations(const WorldSplit& split, ThoughtStyle style, std::int64_t count,
                                                   Random random);

// Everything the world can say, for learning its vocabulary.
std::vector<std::string> all_texts();

}  // namespace rim
