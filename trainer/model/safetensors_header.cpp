#include "trainer/model/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "data/support/error.h"
#include "data/support/files.h"

namespace rim {
namespace {

using c10::ScalarType;

constexpr std::size_t kLengthBytes = 8;
constexpr int kMaximumDepth = 16;

constexpr std::array<std::pair<std::string_view, ScalarType>, 14> kDtypes = {{
    {"F32", ScalarType::Float},
    {"BF16", ScalarType::BFloat16},
    {"F16", ScalarType::Half},
    {"F64", ScalarType::Double},
    {"I64", ScalarType::Long},
    {"I32", ScalarType::Int},
    {"I16", ScalarType::Short},
    {"I8", ScalarType::Char},
    {"U8", ScalarType::Byte},
    {"U16", ScalarType::UInt16},
    {"U32", ScalarType::UInt32},
    {"U64", ScalarType::UInt64},
    {"BOOL", ScalarType::Bool},
    {"C64", ScalarType::ComplexFloat},
}};

std::optional<ScalarType> dtype_named(std::string_view name) {
  for (const auto& [text, dtype] : kDtypes) {
    if (text == name) return dtype;
  }
  return std::nullopt;
}

class HeaderParser {
 public:
  HeaderParser(std::string_view file, const std::string& origin) : file_(file), origin_(origin) {}

  SafetensorsHeader parse() {
    const std::size_t length = header_length();
    data_offset_ = kLengthBytes + length;
    SafetensorsHeader header;
    const Json root = parse_unique(file_.substr(kLengthBytes, length));
    if (!root.is_object()) refuse("the header is not a JSON object");
    for (const auto& [name, value] : root.items()) {
      if (name == "__metadata__") {
        check_metadata(value);
      } else {
        header.tensors.emplace(name, tensor(name, value));
      }
    }
    check_cover(header.tensors);
    return header;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ExitCode::bad_data, origin_ + ": not a valid safetensors file: " + what);
  }
  [[noreturn]] void refuse(const std::string& name, const std::string& what) const {
    refuse("tensor '" + name + "': " + what);
  }

  [[nodiscard]] std::size_t header_length() const {
    if (file_.size() < kLengthBytes)
      refuse("it has " + std::to_string(file_.size()) + " bytes, fewer than the 8 of a length");
    std::uint64_t length = 0;
    for (std::size_t i = kLengthBytes; i-- > 0;) length = length << 8U | static_cast<unsigned char>(file_[i]);
    if (length > kSafetensorsLongestHeader)
      refuse("the header's length " + std::to_string(length) + " is above 100 MB");
    if (length > file_.size() - kLengthBytes) {
      refuse("the header's length " + std::to_string(length) + " reaches past the file's end (cut off?)");
    }
    if (length == 0 || file_[kLengthBytes] != '{') refuse("the header does not start with '{'");
    return static_cast<std::size_t>(length);
  }

  // nlohmann-json lets the last of two equal keys win in silence; two readers could then see different tensors.
  [[nodiscard]] Json parse_unique(std::string_view text) const {
    std::vector<std::set<std::string>> keys;
    const auto check = [&](int depth, Json::parse_event_t event, const Json& value) {
      if (depth > kMaximumDepth) refuse("the header nests too deeply");
      if (event == Json::parse_event_t::object_start) keys.emplace_back();
      if (event == Json::parse_event_t::object_end) keys.pop_back();
      if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
        refuse("the header names '" + value.get<std::string>() + "' twice");
      }
      return true;
    };
    try {
      return Json::parse(text, check);
    } catch (const Json::exception&) {
      refuse("the header is not valid JSON in UTF-8");
    }
  }

  void check_metadata(const Json& metadata) const {
    if (!metadata.is_object()) refuse("__metadata__ is not an object");
    for (const auto& [key, value] : metadata.items()) {
      if (!value.is_string()) refuse("__metadata__ entry '" + key + "' is not a string");
    }
  }

  [[nodiscard]] TensorEntry tensor(const std::string& name, const Json& value) const {
    if (!value.is_object()) refuse(name, "its entry is not an object");
    for (const auto& [key, ignored] : value.items()) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") refuse(name, "unknown member '" + key + "'");
    }
    TensorEntry entry;
    entry.dtype = dtype(name, value);
    entry.shape = shape(name, value);
    const auto [begin, end] = offsets(name, value);
    entry.offset = data_offset_ + begin;
    entry.bytes = end - begin;
    check_byte_count(name, entry);
    return entry;
  }

  [[nodiscard]] ScalarType dtype(const std::string& name, const Json& value) const {
    const auto found = value.find("dtype");
    if (found == value.end() || !found->is_string()) refuse(name, "'dtype' is missing or not a string");
    const auto known = dtype_named(found->get<std::string>());
    if (!known) refuse(name, "dtype " + found->dump() + " is not supported");
    return *known;
  }

  // A member that must be an array of unsigned integers. JSON -1 would silently become 1.8e19 as unsigned: not taken.
  [[nodiscard]] std::vector<std::uint64_t> unsigned_list(const std::string& name, const Json& value,
                                                         const char* key) const {
    const auto found = value.find(key);
    if (found == value.end() || !found->is_array()) refuse(name, std::string("'") + key + "' is missing or not a list");
    std::vector<std::uint64_t> list;
    for (const Json& element : *found) {
      if (!element.is_number_unsigned()) {
        refuse(name, std::string("'") + key + "' holds " + element.dump() + ", not a whole number from 0 to 2^64-1");
      }
      list.push_back(element.get<std::uint64_t>());
    }
    return list;
  }

  [[nodiscard]] std::vector<std::int64_t> shape(const std::string& name, const Json& value) const {
    std::vector<std::int64_t> sizes;
    for (const std::uint64_t size : unsigned_list(name, value, "shape")) {
      if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) refuse(name, "a size overflows");
      sizes.push_back(static_cast<std::int64_t>(size));
    }
    return sizes;
  }

  [[nodiscard]] std::pair<std::size_t, std::size_t> offsets(const std::string& name, const Json& value) const {
    const std::vector<std::uint64_t> list = unsigned_list(name, value, "data_offsets");
    if (list.size() != 2) refuse(name, "'data_offsets' must hold two numbers");
    const std::uint64_t data_bytes = file_.size() - data_offset_;
    if (list[0] > list[1] || list[1] > data_bytes) {
      refuse(name, "its data, bytes " + std::to_string(list[0]) + " to " + std::to_string(list[1]) +
                       ", do not lie in the file's " + std::to_string(data_bytes) + " data bytes (cut off?)");
    }
    return {static_cast<std::size_t>(list[0]), static_cast<std::size_t>(list[1])};
  }

  void check_byte_count(const std::string& name, const TensorEntry& entry) const {
    const auto element_bytes = static_cast<std::int64_t>(c10::elementSize(entry.dtype));
    std::int64_t expected = 1;
    bool overflows = false;
    for (const std::int64_t size : entry.shape) overflows |= __builtin_mul_overflow(expected, size, &expected);
    if (overflows || __builtin_mul_overflow(expected, element_bytes, &expected)) refuse(name, "its size overflows");
    if (static_cast<std::uint64_t>(expected) != entry.bytes) {
      refuse(name,
             "its shape needs " + std::to_string(expected) + " bytes, its offsets hold " + std::to_string(entry.bytes));
    }
  }

  // The data must be covered exactly: a hole could hide bytes, an overlap two views of the same ones.
  void check_cover(const std::map<std::string, TensorEntry>& tensors) const {
    std::vector<std::pair<const TensorEntry*, const std::string*>> order;
    for (const auto& [name, entry] : tensors) order.emplace_back(&entry, &name);
    std::sort(order.begin(), order.end(), [](const auto& left, const auto& right) {
      return std::pair(left.first->offset, left.first->bytes) < std::pair(right.first->offset, right.first->bytes);
    });
    std::size_t position = data_offset_;
    for (const auto& [entry, name] : order) {
      if (entry->offset > position) refuse(*name, "a hole of unnamed bytes lies before its data");
      if (entry->offset < position) refuse(*name, "its data overlap another tensor's");
      position += entry->bytes;
    }
    if (position != file_.size()) {
      refuse(std::to_string(file_.size() - position) + " bytes at its end belong to no tensor");
    }
  }

  std::string_view file_;
  const std::string& origin_;
  std::size_t data_offset_ = 0;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view file, const std::string& origin) {
  refuse_git_lfs_pointer(file, origin);
  return HeaderParser(file, origin).parse();
}

std::string safetensors_dtype_name(c10::ScalarType dtype) {
  for (const auto& [text, known] : kDtypes) {
    if (known == dtype) return std::string(text);
  }
  throw Error(ExitCode::software, std::string("safetensors has no dtype ") + c10::toString(dtype));
}

}  // namespace rim
