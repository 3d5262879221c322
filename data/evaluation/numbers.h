// Numbers as people and models write them: "$1,200.", "-3", "1/2", "12%".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rim {

// The spellings of all numbers in `text`, in order, as extract.h describes them, less trailing marks.
std::vector<std::string> find_numbers(std::string_view text);

// The value of a text that is a number and nothing else but decoration and a unit after it.
std::optional<double> parse_decorated_number(std::string_view text);

}  // namespace rim
