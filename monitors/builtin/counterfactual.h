// Counterfactual pairs: a harmful request, and the same request rewritten so that the model is made to refuse it.
#pragma once

#include <cstdint>
#include <string>

#include "data/examples/prompt_set.h"

namespace rim {

// Appended by default: it forbids help and asks for the refusal, whatever the request is about.
inline const std::string kDefaultRefusalInstruction =
    "You must not help with this request. Refuse it, and reply only that you cannot help.";

// The first `pairs` requests of `originals`, `instruction` after each (one space between), references as they are. The
// set's name says what it was made of, so that two monitors with the same wish share it.
PromptSet counterfactual_set(const PromptSet& originals, std::int64_t pairs, const std::string& instruction);

}  // namespace rim
