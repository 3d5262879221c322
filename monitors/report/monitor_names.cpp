#include "monitors/report/monitor_names.h"

namespace rim::report {

std::vector<std::string> monitors_with(const std::vector<std::string>& names, const std::string& suffix) {
  std::vector<std::string> monitors;
  for (const std::string& name : names) {
    if (name.ends_with(suffix)) monitors.push_back(name.substr(0, name.size() - suffix.size()));
  }
  return monitors;
}

std::string titled(const std::string& title, const std::string& monitor, const std::string& default_name) {
  return monitor == default_name ? title : title + " · " + monitor;
}

}  // namespace rim::report
