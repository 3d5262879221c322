#include "monitors/report/figure.h"

#include "monitors/report/html.h"

namespace rim::report {
namespace {

std::string render_legend(const LineChart& chart) {
  const std::string marks = marks_in_words(chart);
  std::string items;
  for (const Curve& curve : chart.curves) {
    if (chart.curves.size() < 2) break;  // the title says it
    items += element("li", {}, draw_key(curve.style) + text_element("span", {}, curve.label));
  }
  if (!marks.empty()) items += element("li", {}, draw_mark_key() + text_element("span", {}, marks));
  return items.empty() ? "" : element("ul", {{"class", "legend"}}, items);
}

std::string render_card(const std::string& title, const std::string& legend, const std::string& drawing,
                        const std::string& caption, const Table& table) {
  const std::string data =
      element("details", {},
              text_element("summary", {}, "Numbers") + element("div", {{"class", "scroll"}}, render_table(table)));
  return element("figure", {{"class", "card"}},
                 text_element("h3", {}, title) + legend + drawing + text_element("figcaption", {}, caption) + data);
}

}  // namespace

std::string render_table(const Table& table) {
  std::string head, body;
  for (const std::string& name : table.head) head += text_element("th", {{"scope", "col"}}, name);
  for (const std::vector<std::string>& row : table.rows) {
    std::string cells;
    for (const std::string& cell : row) cells += text_element("td", {}, cell);
    body += element("tr", {}, cells);
  }
  return element("table", {}, element("thead", {}, element("tr", {}, head)) + element("tbody", {}, body));
}

Table table_of(const LineChart& chart) {
  Table table{{chart.x_label}, {}};
  for (const Curve& curve : chart.curves) {
    table.head.push_back(curve.label);
    if (!curve.low.empty()) table.head.insert(table.head.end(), {"low", "high"});
  }
  for (std::size_t i = 0; i < chart.x.size(); ++i) {
    std::vector<std::string> row{to_text(chart.x[i])};
    for (const Curve& curve : chart.curves) {
      row.push_back(to_text(curve.values[i], chart.form));
      if (curve.low.empty()) continue;
      row.push_back(to_text(curve.low[i], chart.form));
      row.push_back(to_text(curve.high[i], chart.form));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table table_of(const BarChart& chart) {
  Table table{{chart.x_label, chart.y_label}, {}};
  for (std::size_t i = 0; i < chart.values.size(); ++i) {
    table.rows.push_back({std::to_string(i), to_text(chart.values[i])});
  }
  return table;
}

std::string render_figure(const std::string& title, const LineChart& chart, const std::string& caption) {
  return render_card(title, render_legend(chart), draw(chart), caption, table_of(chart));
}

std::string render_figure(const std::string& title, const BarChart& chart, const std::string& caption) {
  return render_card(title, "", draw(chart), caption, table_of(chart));
}

std::string render_absence(const std::string& title, const std::string& reason) {
  return element("div", {{"class", "card absent"}},
                 text_element("h3", {}, title) + text_element("p", {}, "Not drawn: " + reason));
}

std::string wide_card(const std::string& title, const std::string& markup) {
  return element("div", {{"class", "card wide"}}, text_element("h3", {}, title) + markup);
}

std::string render_section(const Section& section) {
  if (section.blocks.empty()) return "";
  std::string blocks;
  for (const std::string& block : section.blocks) blocks += block;
  const std::string introduction =
      section.introduction.empty() ? "" : text_element("p", {{"class", "introduction"}}, section.introduction);
  return element("section", {{"id", section.id}},
                 text_element("h2", {}, section.title) + introduction + element("div", {{"class", "grid"}}, blocks));
}

}  // namespace rim::report
