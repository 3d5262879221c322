// SHA-256 of a file of any size.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace rim {

struct FileDigest {
  std::int64_t bytes = 0;
  std::string sha256;  // lower-case hexadecimal

  bool operator==(const FileDigest&) const = default;
};

// Reads in blocks of 1 MiB. Throws Error(no_input) with the path and the system's reason.
FileDigest digest_file(const std::filesystem::path& path);

}  // namespace rim
