// What a rank says that gives up waiting for the others.
#pragma once

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

namespace rim {

// "rank 0 of 2 waited 1.0 s in 'sum the loss'"
inline std::string overdue_text(int rank, int size, std::chrono::steady_clock::duration waited,
                                const std::string& name) {
  std::array<char, 32> seconds{};
  std::snprintf(seconds.data(), seconds.size(), "%.1f", std::chrono::duration<double>(waited).count());
  return "rank " + std::to_string(rank) + " of " + std::to_string(size) + " waited " + seconds.data() + " s in '" +
         name + "'";
}

}  // namespace rim
