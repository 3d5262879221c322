#include "trainer/model/parallel_rows.h"

#include <ATen/TensorIterator.h>
#include <ATen/ops/arange.h>

#include <algorithm>

namespace rim {
namespace {

constexpr std::int64_t kMostPieces = 32;

}  // namespace

std::int64_t row_pieces(std::int64_t rows) { return std::min(rows, kMostPieces); }

void parallel_rows(std::int64_t rows, const RowRange& body) {
  if (rows == 0) return;
  const std::int64_t pieces = row_pieces(rows);
  // An elementwise loop over the numbers of the pieces, one at a time: libtorch deals it out to its threads.
  const at::Tensor numbers = at::arange(pieces, at::kLong);
  auto iterator = at::TensorIteratorConfig().add_const_input(numbers).build();
  const auto loop = [&](char** data, const std::int64_t* strides, std::int64_t inner, std::int64_t outer) {
    for (std::int64_t i = 0; i < inner * outer; ++i) {
      const char* element = data[0] + (i % inner) * strides[0] + (i / inner) * strides[1];
      const std::int64_t piece = *reinterpret_cast<const std::int64_t*>(element);
      body(rows * piece / pieces, rows * (piece + 1) / pieces, piece);
    }
  };
  iterator.for_each(loop, /*grain_size=*/1);
}

}  // namespace rim
