// A figure of the page: title, legend, drawing, caption and the numbers behind it.
#pragma once

#include <string>
#include <vector>

#include "monitors/report/chart.h"

namespace rim::report {

struct Table {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
};
std::string render_table(const Table& table);
Table table_of(const LineChart& chart);
Table table_of(const BarChart& chart);

// `caption` says what is shown, how it is defined and over how many items.
std::string render_figure(const std::string& title, const LineChart& chart, const std::string& caption);
std::string render_figure(const std::string& title, const BarChart& chart, const std::string& caption);
// Says in a figure's place why there is none.
std::string render_absence(const std::string& title, const std::string& reason);

// A card over the page's whole width; `markup` is taken as it is.
std::string wide_card(const std::string& title, const std::string& markup);

// A part of the page. No blocks: nothing is rendered.
struct Section {
  std::string id, title, introduction;
  std::vector<std::string> blocks;
};
std::string render_section(const Section& section);

}  // namespace rim::report
