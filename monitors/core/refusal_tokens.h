// The tokens that refusals open with, found for any tokenizer.
#pragma once

#include <string>
#include <vector>

#include "data/tokenizer/tokenizer.h"

namespace rim {

// First tokens of common refusal openers ("I", "Sorry", "As", ...), each only where that token spells the opener's
// whole first word (a tokenizer that cuts "Sorry" into "S" + "orry" would otherwise count "Sure" as a refusal), and the
// first token of `refusal_text`; without the first token of `compliance_text`. Ascending. After Arditi et al. 2024, who
// list them per model family. Throws Error(config) where nothing is left.
std::vector<TokenId> refusal_tokens(const Tokenizer& tokenizer, const std::string& refusal_text,
                                    const std::string& compliance_text);

// Plain characters, whatever special token they may spell.
std::vector<TokenId> encode_literal(const Tokenizer& tokenizer, const std::string& text);

}  // namespace rim
