#include <algorithm>
#include <set>
#include <sstream>

#include "monitors/report/html.h"
#include "monitors/report/sections.h"

namespace rim::report {
namespace {

using Facts = std::map<std::string, std::string>;

std::string fact_of(const Facts& facts, const std::string& name, const std::string& otherwise) {
  const auto found = facts.find(name);
  return found == facts.end() ? otherwise : found->second;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Lines of a configuration that are new, and those that are gone.
std::string changed_lines(const std::string& before, const std::string& now) {
  const auto missing_in = [](const std::string& other, const std::string& from, const std::string& sign) {
    const std::vector<std::string> known = lines_of(other);
    std::string text;
    for (const std::string& line : lines_of(from)) {
      if (std::ranges::find(known, line) == known.end()) text += sign + line + "\n";
    }
    return text;
  };
  return missing_in(now, before, "- ") + missing_in(before, now, "+ ");
}

std::string changes_of(const Facts& start, const RunResumption& resumption) {
  std::string text;
  for (const auto& [name, now] : resumption.facts) {
    if (name == "config_sha256" || name == "hosts") continue;
    const std::string before = fact_of(start, name, "");
    text += name == "config" ? "config:\n" + changed_lines(before, now) : name + ": " + before + " → " + now + "\n";
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace

std::string sittings_card(const RunReader& run) {
  const std::vector<RunResumption> resumptions = run.resumptions();
  if (resumptions.empty()) return "";
  const Facts start = run.provenance();
  const std::string hosts = fact_of(start, "hosts", "–");
  Table table{{"Sitting", "Hosts", "Changed since the start"}, {{"from the start", hosts, ""}}};
  for (const RunResumption& resumption : resumptions) {
    table.rows.push_back({"resumed after step " + std::to_string(resumption.after_step),
                          fact_of(resumption.facts, "hosts", hosts), changes_of(start, resumption)});
  }
  return wide_card("Sittings", element("div", {{"class", "scroll sittings"}}, render_table(table)));
}

}  // namespace rim::report
