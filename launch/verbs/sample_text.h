// Tokenised samples as a person reads them, the trained tokens marked.
#pragma once

#include <string>

#include "data/examples/sample.h"

namespace rim {

// The sample's text with special tokens spelled out. Trained stretches are green where `colour`, else inside [[ and ]].
std::string marked_text(const Sample& sample, const Tokenizer& tokenizer, bool colour);

// A text of several lines with other control characters taken out.
std::string printable_lines(const std::string& text);

}  // namespace rim
