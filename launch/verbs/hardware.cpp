#include "launch/verbs/hardware.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string_view>

#include "data/support/processor_quota.h"

namespace rim {
namespace {

int usable_cores() {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  const double cores = ::sched_getaffinity(0, sizeof mine, &mine) == 0 ? CPU_COUNT(&mine) : 1;
  return std::max(1, static_cast<int>(std::min(cores, processor_quota())));
}

// The text after the colon of the first "key : text" line, or "".
std::string field_of(const char* file, std::string_view key) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t colon = line.find(':');
    const std::size_t first = colon == std::string::npos ? colon : line.find_first_not_of(" \t", colon + 1);
    if (first != std::string::npos) return line.substr(first);
  }
  return "";
}

bool has_word(const std::string& words, std::string_view wanted) {
  std::istringstream stream(words);
  for (std::string word; stream >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

// "16384 kB" of /proc/meminfo.
std::int64_t meminfo_bytes(std::string_view key) {
  std::int64_t kibibytes = 0;
  std::istringstream(field_of("/proc/meminfo", key)) >> kibibytes;
  return kibibytes * 1024;
}

// A number in a cgroup file; -1 where there is no file or no limit ("max").
std::int64_t cgroup_bytes(const char* file) {
  std::int64_t value = -1;
  std::ifstream stream(file);
  return stream >> value ? value : -1;
}

void respect_container_limit(Hardware& hardware) {
  const std::int64_t limit = cgroup_bytes("/sys/fs/cgroup/memory.max");
  const std::int64_t used = cgroup_bytes("/sys/fs/cgroup/memory.current");
  if (limit <= 0 || used < 0 || limit >= hardware.memory_bytes) return;
  hardware.memory_bytes = limit;
  hardware.available_bytes = std::min(hardware.available_bytes, std::max<std::int64_t>(0, limit - used));
}

}  // namespace

Hardware survey_hardware() {
  Hardware hardware;
  hardware.processor = field_of("/proc/cpuinfo", "model name");
  hardware.usable_cores = usable_cores();
  const std::string flags = field_of("/proc/cpuinfo", "flags");
  hardware.bfloat16_instructions = has_word(flags, "avx512_bf16") || has_word(flags, "amx_bf16");
  hardware.memory_bytes = meminfo_bytes("MemTotal");
  hardware.available_bytes = meminfo_bytes("MemAvailable");
  respect_container_limit(hardware);
  return hardware;
}

std::int64_t free_disk_bytes(const std::filesystem::path& path) {
  std::error_code failure;
  std::filesystem::path existing = std::filesystem::absolute(path, failure);
  while (!std::filesystem::exists(existing, failure) && existing.has_relative_path()) existing = existing.parent_path();
  const std::filesystem::space_info space = std::filesystem::space(existing, failure);
  return failure ? -1 : static_cast<std::int64_t>(space.available);
}

}  // namespace rim
