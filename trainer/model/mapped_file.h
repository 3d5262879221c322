// A file's bytes, mapped read-only; the mapping ends with the object.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace rim {

class MappedFile {
 public:
  // Throws Error(no_input). A file that another process shortens while it is mapped ends this one with SIGBUS.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::string_view bytes() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace rim
