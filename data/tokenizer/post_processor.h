// What tokenizer.json's post-processor adds to a text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/support/json.h"
#include "data/tokenizer/vocabulary.h"

namespace rim {

// Ids that stand before a single text (Llama-3's <|begin_of_text|>). What is added behind it is left out: a sample gets
// its end token anyway. `processor` may be null. Throws Error(bad_data), headed by `origin`, for a kind that is not
// supported, and for ids that are no tokens.
std::vector<std::int64_t> tokens_before_text(const Json& processor, const Vocabulary& vocabulary,
                                             const std::string& origin);

}  // namespace rim
