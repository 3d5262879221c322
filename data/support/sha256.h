// SHA-256 of texts, of files of any size, and of bytes as they pass by. Hexadecimal is lower-case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace rim {

// Bytes fed piece by piece. Throws Error(software) where OpenSSL fails. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void add(const void* data, std::size_t bytes);
  // Of all that was added; ends the computation.
  [[nodiscard]] std::string hexadecimal();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

std::string sha256_hex(std::string_view bytes);

struct FileDigest {
  std::int64_t bytes = 0;
  std::string sha256;

  bool operator==(const FileDigest&) const = default;
};

// Reads in blocks of 1 MiB. Throws Error(no_input) with the path and the system's reason.
FileDigest digest_file(const std::filesystem::path& path);

}  // namespace rim
