// Where and when something was written.
#pragma once

#include <string>

namespace rim {

// This machine's name; "unknown host" where it has none.
std::string host_name();
// "2026-01-31T12:00:00Z"
std::string utc_now();

}  // namespace rim
