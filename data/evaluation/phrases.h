// Phrases looked for in an answer's words (words_of).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rim {

using Words = std::span<const std::string>;

// Whether `words` begin with the phrase. "~" in it: up to three words of the same sentence may stand there. "@": a word
// for what an assistant does ("help", "provide", ...).
bool begins_with_phrase(Words words, std::string_view phrase);
bool contains_any_phrase(Words words, std::span<const std::string_view> phrases);
// The words without the phrases, which hold no "~" and no "@".
std::vector<std::string> without_phrases(std::vector<std::string> words, std::span<const std::string_view> phrases);

}  // namespace rim
