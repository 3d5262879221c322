#include "trainer/model/key_value_cache.h"

#include <ATen/ATen.h>
#include <ATen/TensorIndexing.h>

#include "data/support/error.h"

namespace rim {

KeyValueCache::KeyValueCache(const ModelConfig& config, std::int64_t batch, std::int64_t capacity,
                             const at::TensorOptions& options)
    : lengths(at::zeros({batch}, options.dtype(at::kLong))) {
  for (std::int64_t i = 0; i < config.layers; ++i) {
    // Zeros, not garbage: masked positions still enter products with weight zero, and 0 * NaN is NaN.
    keys.push_back(at::zeros({batch, config.key_value_heads, capacity, config.head_size}, options));
    values.push_back(at::zeros_like(keys.back()));
  }
}

std::int64_t KeyValueCache::capacity() const { return keys.front().size(2); }

at::Tensor KeyValueCache::next_positions(std::int64_t time) const {
  if (longest + time > capacity()) {
    throw Error(ExitCode::software, "key-value cache of " + std::to_string(capacity()) + " positions asked to hold " +
                                        std::to_string(longest + time));
  }
  return lengths.unsqueeze(-1) + at::arange(time, lengths.options());
}

void KeyValueCache::store(std::int64_t layer, const at::Tensor& positions, const at::Tensor& new_keys,
                          const at::Tensor& new_values) {
  const auto index = static_cast<std::size_t>(layer);
  const std::int64_t time = positions.size(1);
  if (longest == 0) {
    keys[index].narrow(2, 0, time).copy_(new_keys);
    values[index].narrow(2, 0, time).copy_(new_values);
    return;
  }
  const at::Tensor rows = at::arange(positions.size(0), positions.options()).unsqueeze(-1);
  keys[index].transpose(1, 2).index_put_({rows, positions}, new_keys.transpose(1, 2));
  values[index].transpose(1, 2).index_put_({rows, positions}, new_values.transpose(1, 2));
}

void KeyValueCache::grow(std::int64_t time, const at::Tensor& row_lengths) {
  if (row_lengths.defined()) {
    lengths += row_lengths;
    longest = lengths.max().item<std::int64_t>();
  } else {
    lengths += time;
    longest += time;
  }
}

void KeyValueCache::select_rows(const at::Tensor& rows) {
  for (at::Tensor& tensor : keys) tensor = tensor.index_select(0, rows);
  for (at::Tensor& tensor : values) tensor = tensor.index_select(0, rows);
  lengths = lengths.index_select(0, rows);
  longest = lengths.numel() > 0 ? lengths.max().item<std::int64_t>() : 0;
}

}  // namespace rim
