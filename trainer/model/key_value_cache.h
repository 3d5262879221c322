// Keys and values of earlier positions, so that generation computes each position once.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "trainer/model/model_config.h"

namespace rim {

// Per layer [batch, kv heads, capacity, head size]. lengths[b] positions of row b are filled; rows may differ.
// The capacity starts at nothing and at least doubles when it grows, up to `limit` positions. Not thread-safe.
class KeyValueCache {
 public:
  KeyValueCache(const ModelConfig& config, std::int64_t batch, std::int64_t limit, const at::TensorOptions& options);
  std::vector<at::Tensor> keys, values;
  at::Tensor lengths;        // int64 [batch], on the cache's device
  std::int64_t longest = 0;  // the largest of lengths

  // Positions that `time` new tokens of each row take: int64 [batch, time]. Makes room for them. Throws
  // Error(software) past the limit, or where the memory does not suffice.
  [[nodiscard]] at::Tensor next_positions(std::int64_t time);
  // Writes a layer's new keys and values [batch, kv heads, time, head size] at `positions`; lengths stay as they are.
  void store(std::int64_t layer, const at::Tensor& positions, const at::Tensor& new_keys, const at::Tensor& new_values);
  // After all layers have stored: row b has grown by row_lengths[b] (undefined: all by `time`). What was stored beyond
  // a row's length is padding, never seen and overwritten by the row's next tokens.
  void grow(std::int64_t time, const at::Tensor& row_lengths);
  // Keeps only the given rows, int64 (finished ones leave the batch).
  void select_rows(const at::Tensor& rows);

 private:
  void reserve(std::int64_t positions);
  std::int64_t limit_;
};

}  // namespace rim
