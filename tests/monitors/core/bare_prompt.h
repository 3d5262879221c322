// A prompt with a request and nothing else, for tests.
#pragma once

#include <string>

#include "data/examples/prompt_set.h"

namespace rim {

inline Prompt bare_prompt(const std::string& id, const std::string& text) {
  return {.id = id, .text = text, .reasoning = "", .response = "", .answer = ""};
}

}  // namespace rim
