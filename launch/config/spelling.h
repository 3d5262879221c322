// Finds what the user probably meant.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rim {

// Damerau-Levenshtein distance in its optimal-string-alignment form: insertions, deletions, substitutions and swaps of
// neighbours, each stretch edited once.
std::size_t edit_distance(std::string_view left, std::string_view right);

// The candidate nearest to `word`, where a third of its letters or fewer would have to change.
std::optional<std::string> nearest_name(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace rim
