#include "data/support/csv.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "data/support/error.h"
#include "data/support/files.h"

namespace rim {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class CsvScanner {
 public:
  CsvScanner(std::string_view text, const std::string& origin) : text_(text), origin_(origin) {
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  }

  std::optional<CsvRow> next_row() {
    while (at_line_end()) skip_line_end();
    if (text_.empty()) return std::nullopt;
    CsvRow row{.fields = {}, .line = line_};
    row.fields.push_back(field());
    while (text_.starts_with(',')) {
      text_.remove_prefix(1);
      row.fields.push_back(field());
    }
    if (!text_.empty() && !at_line_end()) refuse(line_, "text follows a closing quote");
    if (!text_.empty()) skip_line_end();
    return row;
  }

  [[noreturn]] void refuse(std::int64_t line, const std::string& what) const {
    throw Error(ExitCode::bad_data, origin_ + ":" + std::to_string(line) + ": " + what);
  }

 private:
  [[nodiscard]] bool at_line_end() const { return text_.starts_with('\n') || text_.starts_with("\r\n"); }

  void skip_line_end() {
    text_.remove_prefix(text_.starts_with('\r') ? 2 : 1);
    ++line_;
  }

  std::string field() { return text_.starts_with('"') ? quoted_field() : plain_field(); }

  std::string plain_field() {
    std::size_t length = 0;
    while (length < text_.size() && text_[length] != ',' && text_[length] != '\n') ++length;
    const bool carriage_return =
        length > 0 && length < text_.size() && text_[length] == '\n' && text_[length - 1] == '\r';
    std::string value(text_.substr(0, carriage_return ? length - 1 : length));
    text_.remove_prefix(value.size());
    return value;
  }

  std::string quoted_field() {
    const std::int64_t opened = line_;
    std::string value;
    text_.remove_prefix(1);
    for (;;) {
      const auto quote = text_.find('"');
      if (quote == std::string_view::npos) refuse(opened, "a quote is opened here and never closed");
      for (const char c : text_.substr(0, quote)) line_ += c == '\n' ? 1 : 0;
      value += text_.substr(0, quote);
      text_.remove_prefix(quote + 1);
      if (!text_.starts_with('"')) return value;
      value += '"';
      text_.remove_prefix(1);
    }
  }

  std::string_view text_;
  const std::string& origin_;
  std::int64_t line_ = 1;
};

}  // namespace

CsvTable parse_csv(std::string_view text, const std::string& origin) {
  CsvScanner scanner(text, origin);
  auto header = scanner.next_row();
  if (!header) scanner.refuse(1, "there is no header row");
  for (std::size_t i = 0; i < header->fields.size(); ++i) {
    const auto before = header->fields.begin() + static_cast<std::ptrdiff_t>(i);
    // Columns without a name cannot be asked for.
    if (before->empty() || std::find(header->fields.begin(), before, *before) == before) continue;
    scanner.refuse(header->line, "the header names two columns '" + *before + "'");
  }
  CsvTable table{.header = std::move(header->fields), .rows = {}};
  while (auto row = scanner.next_row()) {
    if (row->fields.size() != table.header.size()) {
      scanner.refuse(row->line, "this row has " + std::to_string(row->fields.size()) + " fields, the header has " +
                                    std::to_string(table.header.size()));
    }
    table.rows.push_back(std::move(*row));
  }
  return table;
}

CsvTable read_csv_file(const std::filesystem::path& path) {
  const std::string text = read_text_file(path);
  refuse_git_lfs_pointer(text, path.string());
  return parse_csv(text, path.string());
}

}  // namespace rim
