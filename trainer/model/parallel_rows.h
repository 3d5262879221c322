// Runs a loop over rows in libtorch's own thread pool. (at::parallel_for is a header template that needs -fopenmp, and
// with it a second OpenMP runtime whose waiting threads would fight libtorch's for the cores.)
#pragma once

#include <cstdint>
#include <functional>

namespace rim {

// Rows [begin, end) are piece number `piece`.
using RowRange = std::function<void(std::int64_t begin, std::int64_t end, std::int64_t piece)>;

// How many pieces parallel_rows makes of `rows`: a function of the row count alone, so that sums over pieces are the
// same for any number of threads.
std::int64_t row_pieces(std::int64_t rows);

// Calls `body` once for each piece, from several threads at once. `body` must not throw.
void parallel_rows(std::int64_t rows, const RowRange& body);

}  // namespace rim
