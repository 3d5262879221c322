// How a series is cut into chunks, so that a kill cannot take committed rows with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rim::hdf5 {

struct Chunking {
  std::vector<std::int64_t> sizes;  // [rows, ...], all > 0
  bool compress = false;
};

// Rows of more than 32 KiB: one row per chunk (or several chunks of at most 1 MiB per row), compressed, because such a
// chunk is written once and never again. Smaller rows share a chunk of at most 64 KiB, which is not compressed: each
// commit rewrites it in place, and a rewrite that is cut short leaves the bytes of the earlier rows as they were.
Chunking choose_chunking(const std::vector<std::int64_t>& row_shape, std::size_t element_bytes);

// Chunks in one leaf of a series' index. HDF5 splits a full leaf in several writes, which a kill could part.
inline constexpr std::size_t kLeafChunks = 256;

// The chunks that `rows` rows lie in.
std::size_t chunk_count(const std::vector<std::int64_t>& row_shape, std::size_t element_bytes, std::size_t rows);

// An upper bound for what one more row adds to the file: its chunks before compression, and a leaf of their index.
std::size_t largest_growth(const std::vector<std::int64_t>& row_shape, std::size_t element_bytes);

}  // namespace rim::hdf5
