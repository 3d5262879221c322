#include "trainer/model/key_value_cache.h"

#include <ATen/ATen.h>
#include <ATen/TensorIndexing.h>
#include <c10/util/Exception.h>

#include <algorithm>

#include "data/support/error.h"

namespace rim {

namespace {

constexpr std::int64_t kHeadroom = 256;  // positions beyond those asked for: few short generations grow at all

// A copy with room for `capacity` positions. The new ones hold zeros, not garbage: masked positions still enter
// products with weight zero, and 0 * NaN is NaN.
at::Tensor with_room(const at::Tensor& held, std::int64_t capacity) {
  std::vector<std::int64_t> shape = held.sizes().vec();
  shape[2] = capacity;
  const at::Tensor larger = at::empty(shape, held.options());
  larger.narrow(2, 0, held.size(2)).copy_(held);
  larger.narrow(2, held.size(2), capacity - held.size(2)).zero_();
  return larger;
}

}  // namespace

KeyValueCache::KeyValueCache(const ModelConfig& config, std::int64_t batch, std::int64_t limit,
                             const at::TensorOptions& options)
    : lengths(at::zeros({batch}, options.dtype(at::kLong))), limit_(limit) {
  for (std::int64_t i = 0; i < config.layers; ++i) {
    keys.push_back(at::empty({batch, config.key_value_heads, 0, config.head_size}, options));
    values.push_back(at::empty_like(keys.back()));
  }
}

void KeyValueCache::reserve(std::int64_t positions) {
  if (positions > limit_) {
    throw Error(ExitCode::software, "key-value cache of " + std::to_string(limit_) + " positions asked to hold " +
                                        std::to_string(positions));
  }
  const std::int64_t held = keys.front().size(2);
  if (positions <= held) return;
  const std::int64_t capacity = std::min(limit_, std::max(2 * held, positions + kHeadroom));
  try {  // one tensor after another, so that only one is held twice
    for (auto* tensors : {&keys, &values}) {
      for (at::Tensor& tensor : *tensors) tensor = with_room(tensor, capacity);
    }
  } catch (const c10::Error&) {
    throw Error(ExitCode::software, "out of memory: no room for the keys and values of " +
                                        std::to_string(lengths.numel()) + " x " + std::to_string(capacity) +
                                        " tokens; fewer new tokens, or fewer prompts at once, need less");
  }
}

at::Tensor KeyValueCache::next_positions(std::int64_t time) {
  reserve(longest + time);
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
