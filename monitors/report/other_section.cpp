#include <algorithm>
#include <set>

#include "monitors/report/html.h"
#include "monitors/report/sections.h"

namespace rim::report {
namespace {

bool is_drawn(const std::string& name, const std::string& page) {
  return page.find("data-series=\"" + escape(name) + "\"") != std::string::npos;
}

// A number, or the sizes of what stands at each step.
std::string value_of(const SeriesData& data) {
  if (data.shape.size() == 1) return data.values.empty() ? "–" : to_text(data.values.back());
  std::string sizes;
  for (std::size_t axis = 1; axis < data.shape.size(); ++axis) {
    const std::string name = axis - 1 < data.info.dimensions.size() ? " " + data.info.dimensions[axis - 1] : "";
    sizes += (sizes.empty() ? "" : " × ") + std::to_string(data.shape[axis]) + name;
  }
  return sizes;
}

}  // namespace

Section other_section(const RunReader& run, const std::string& page) {
  std::set<std::string> shown{"step", "tokens", "time"};
  std::vector<std::string> names = run.series_names();
  for (const std::string& name : names) {
    if (!is_drawn(name, page)) continue;
    shown.insert(name);
    for (const char* beside : {".low", ".high", ".mean"}) shown.insert(name + beside);
  }
  Table table{{"Series", "What it is", "Last value, or shape"}, {}};
  for (const std::string& name : names) {
    if (shown.contains(name)) continue;
    const SeriesData data = run.series(name);
    const std::string units = data.info.units.empty() || data.info.units == "1" ? "" : " (" + data.info.units + ")";
    table.rows.push_back({name, data.info.long_name + units, value_of(data)});
  }
  Section section{"other", "Also recorded", "In run.h5, and in no figure of this page.", {}};
  if (!table.rows.empty()) {
    section.blocks.push_back(
        wide_card("Other series", element("div", {{"class", "scroll facts"}}, render_table(table))));
  }
  return section;
}

}  // namespace rim::report
