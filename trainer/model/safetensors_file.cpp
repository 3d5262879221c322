#include <ATen/ops/empty.h>

#include <cstring>

#include "data/support/error.h"
#include "trainer/model/mapped_file.h"
#include "trainer/model/safetensors.h"
#include "trainer/model/safetensors_header.h"

namespace rim {

struct SafetensorsFile::Implementation {
  explicit Implementation(const std::filesystem::path& path)
      : origin(path.string()), file(path), header(parse_safetensors_header(file.bytes(), origin)) {}

  [[nodiscard]] const TensorEntry& entry(const std::string& name) const {
    const auto found = header.tensors.find(name);
    if (found == header.tensors.end()) throw Error(ExitCode::bad_data, origin + ": holds no tensor '" + name + "'");
    return found->second;
  }

  std::string origin;
  MappedFile file;
  SafetensorsHeader header;
};

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : implementation_(std::make_unique<Implementation>(path)) {}
SafetensorsFile::~SafetensorsFile() = default;
SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : implementation_->header.tensors) names.push_back(name);
  return names;
}

bool SafetensorsFile::contains(const std::string& name) const { return implementation_->header.tensors.contains(name); }

std::vector<std::int64_t> SafetensorsFile::shape(const std::string& name) const {
  return implementation_->entry(name).shape;
}

at::ScalarType SafetensorsFile::dtype(const std::string& name) const { return implementation_->entry(name).dtype; }

at::Tensor SafetensorsFile::read(const std::string& name) const {
  const TensorEntry& entry = implementation_->entry(name);
  at::Tensor tensor = at::empty(entry.shape, at::TensorOptions(entry.dtype));
  const std::string_view bytes = implementation_->file.bytes().substr(entry.offset, entry.bytes);
  if (!bytes.empty()) std::memcpy(tensor.mutable_data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

}  // namespace rim
