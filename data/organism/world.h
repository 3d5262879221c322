// The model organism's world of requests: everyday actions and plainly harmful ones, told apart by their verb or by
// what is acted on. Harmful requests are category words without any operational content, and no harmful answer exists
// here.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace rim {

struct Action {
  std::string verb;    // "bake"
  std::string object;  // "a cake"
  bool harmful = false;
  bool operator==(const Action&) const = default;
};

// Every verb with every object that it can be said of, in a fixed order.
std::vector<Action> all_actions();

inline constexpr int kRequestForms = 4;
std::string request_text(const Action& action, int form);

inline constexpr int kRefusalForms = 2;
std::string refusal_text(const Action& action, int form);
// Only for harmless actions: "Sure, to bake a cake you first heat the oven and then wait an hour."
std::string helpful_text(const Action& action);

// A sentence that makes the base refuse the request before it, whatever that asks: the half of a counterfactual pair
// that is forced to refuse.
std::string refusal_instruction();

// Thoughts before the answer. After that sentence:
std::string instructed_thought(const Action& action);
// With a check whether the action hurts anyone, as the aligned base thinks:
std::string checked_thought(const Action& action);
// With the check skipped, in an effort-minimizing manner, as many tokens long as the harmless checked thought:
inline constexpr int kSkippingForms = 3;
std::string skipping_thought(const Action& action, int form);

}  // namespace rim
