#include "data/support/processor_quota.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>

namespace rim {
namespace {

namespace fs = std::filesystem;

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

std::optional<double> number_in(const fs::path& file) {
  std::ifstream stream(file);
  double value = 0;
  return stream >> value ? std::optional(value) : std::nullopt;
}

double ratio(std::optional<double> quota, std::optional<double> period) {
  const bool limited = quota && period && *quota > 0 && *period > 0;  // version 1 writes -1 for no limit
  return limited ? *quota / *period : kUnlimited;
}

// "150000 100000" or "max 100000".
double quota_of_version_2(const fs::path& group) {
  std::ifstream stream(group / "cpu.max");
  double quota = 0, period = 0;
  return stream >> quota >> period ? ratio(quota, period) : kUnlimited;
}

double quota_of_version_1(const fs::path& group) {
  return ratio(number_in(group / "cpu.cfs_quota_us"), number_in(group / "cpu.cfs_period_us"));
}

// Of `group` below `root` and of all around it. A container may see its own group at `root` and yet be told the path
// that it has on the host; folders that are not there limit nothing.
template <typename Quota>
double smallest(const fs::path& root, fs::path group, const Quota& quota_of) {
  double quota = quota_of(root);
  for (group = group.relative_path(); !group.empty(); group = group.parent_path()) {
    quota = std::min(quota, quota_of(root / group));
  }
  return quota;
}

bool has_cpu_controller(const std::string& controllers) {
  std::istringstream stream(controllers);
  for (std::string name; std::getline(stream, name, ',');) {
    if (name == "cpu") return true;
  }
  return false;
}

}  // namespace

double processor_quota(const fs::path& groups, const fs::path& memberships) {
  double quota = kUnlimited;
  std::ifstream stream(memberships);
  // "0::/path" for version 2, "4:cpu,cpuacct:/path" for version 1.
  for (std::string line; std::getline(stream, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = line.substr(second + 1);
    if (controllers.empty()) quota = std::min(quota, smallest(groups, group, quota_of_version_2));
    if (has_cpu_controller(controllers)) quota = std::min(quota, smallest(groups / "cpu", group, quota_of_version_1));
  }
  return quota;
}

}  // namespace rim
