// How much processor time the control group of this process, such as a container, may use.
#pragma once

#include <filesystem>

namespace rim {

// In processors: 1.5 is one and a half of them, whatever the number of cores that can be seen; infinity where there is
// no limit. The smallest quota of this process's group and those around it, of version 2 (cpu.max) or 1 (cpu.cfs_*).
double processor_quota(const std::filesystem::path& groups = "/sys/fs/cgroup",
                       const std::filesystem::path& memberships = "/proc/self/cgroup");

}  // namespace rim
