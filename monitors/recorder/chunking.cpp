#include "monitors/recorder/chunking.h"

#include <algorithm>

namespace rim::hdf5 {
namespace {

constexpr std::size_t kSharedChunkBytes = std::size_t{64} << 10U;
constexpr std::size_t kLargestChunkBytes = std::size_t{1} << 20U;
constexpr std::size_t kMostRowsPerChunk = 512;
constexpr std::size_t kIndexLeafBytes = std::size_t{16} << 10U;

std::size_t bytes_of(const std::vector<std::int64_t>& sizes, std::size_t element_bytes) {
  std::size_t bytes = element_bytes;
  for (const std::int64_t size : sizes) bytes *= static_cast<std::size_t>(size);
  return bytes;
}

}  // namespace

Chunking choose_chunking(const std::vector<std::int64_t>& row_shape, std::size_t element_bytes) {
  std::vector<std::int64_t> sizes{1};
  for (const std::int64_t size : row_shape) sizes.push_back(std::max<std::int64_t>(size, 1));
  const std::size_t rows =
      std::clamp<std::size_t>(kSharedChunkBytes / bytes_of(sizes, element_bytes), 1, kMostRowsPerChunk);
  if (rows > 1) {
    sizes[0] = static_cast<std::int64_t>(rows);
    return {sizes, false};
  }
  while (bytes_of(sizes, element_bytes) > kLargestChunkBytes) {
    // Halves the outermost axis that can be halved, so that a chunk stays a run of neighbours.
    auto axis = std::find_if(sizes.begin(), sizes.end(), [](std::int64_t size) { return size > 1; });
    *axis = (*axis + 1) / 2;
  }
  return {sizes, true};
}

std::size_t chunk_count(const std::vector<std::int64_t>& row_shape, std::size_t element_bytes, std::size_t rows) {
  const Chunking chunking = choose_chunking(row_shape, element_bytes);
  const auto rows_per_chunk = static_cast<std::size_t>(chunking.sizes.front());
  std::size_t chunks = (rows + rows_per_chunk - 1) / rows_per_chunk;
  for (std::size_t axis = 0; axis < row_shape.size(); ++axis) {
    const std::int64_t size = chunking.sizes[axis + 1];
    chunks *= static_cast<std::size_t>((std::max<std::int64_t>(row_shape[axis], 1) + size - 1) / size);
  }
  return chunks;
}

std::size_t largest_growth(const std::vector<std::int64_t>& row_shape, std::size_t element_bytes) {
  const std::size_t chunks = chunk_count(row_shape, element_bytes, 1);
  const std::size_t chunk_bytes = bytes_of(choose_chunking(row_shape, element_bytes).sizes, element_bytes);
  return chunks * (chunk_bytes + chunk_bytes / 64) +
         kIndexLeafBytes;  // deflate may add a little to what it cannot shrink
}

}  // namespace rim::hdf5
