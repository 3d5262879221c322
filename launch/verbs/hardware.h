// Cores, memory and disk of this host.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace rim {

struct Hardware {
  std::string processor;               // as /proc/cpuinfo names it
  int usable_cores = 1;                // that this process may run on, or its container's quota of them
  bool bfloat16_instructions = false;  // avx512_bf16 or amx_bf16
  std::int64_t memory_bytes = 0;       // of the host, or of this container where it has less
  std::int64_t available_bytes = 0;
};

Hardware survey_hardware();
// Bytes free to this user on the file system of `path`, or of its nearest parent that exists; -1: unknown.
std::int64_t free_disk_bytes(const std::filesystem::path& path);

}  // namespace rim
