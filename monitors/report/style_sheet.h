// The page's only style sheet, light and dark.
#pragma once

#include <string_view>

namespace rim::report {

std::string_view style_sheet();

}  // namespace rim::report
