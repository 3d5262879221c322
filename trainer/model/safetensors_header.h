// The header of a safetensors file, checked in full against the file's size before anything is allocated.
// Format: u64 little-endian header length, JSON header, tensor data without holes
// (https://github.com/huggingface/safetensors, "Format").
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/support/json.h"

namespace rim {

struct TensorEntry {
  c10::ScalarType dtype = c10::ScalarType::Undefined;
  std::vector<std::int64_t> shape;
  std::size_t offset = 0;  // from the file's first byte
  std::size_t bytes = 0;
};

struct SafetensorsHeader {
  std::map<std::string, TensorEntry> tensors;
};

inline constexpr std::size_t kSafetensorsLongestHeader = 100'000'000;  // the reference implementation's limit

// `file`: the whole file's bytes. Throws Error(bad_data) "<origin>: ..." naming the tensor where one is at fault.
SafetensorsHeader parse_safetensors_header(std::string_view file, const std::string& origin);

// "F32", "BF16", ...; throws Error(software) for a dtype the format does not have.
std::string safetensors_dtype_name(c10::ScalarType dtype);

}  // namespace rim
