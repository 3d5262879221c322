// Comma-separated values as RFC 4180 describes them: quoted fields may hold commas, doubled quotes and line breaks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace rim {

struct CsvRow {
  std::vector<std::string> fields;  // as many as the header has
  std::int64_t line = 0;            // of the file, where the row begins; counts from 1
};

struct CsvTable {
  std::vector<std::string> header;
  std::vector<CsvRow> rows;
};

// The first row is the header. Beyond the RFC: lines may end in LF alone, a UTF-8 byte order mark and empty lines are
// skipped, and a quote inside an unquoted field is an ordinary character. `origin` (a path) heads the errors.
// Throws Error(bad_data) "<origin>:<line>: ..." for an unclosed quote, text after a closing quote, a row whose number
// of fields is not the header's, a header that names a column twice, and a file without a header.
CsvTable parse_csv(std::string_view text, const std::string& origin);
// Throws Error(no_input) where the file cannot be read, else as parse_csv.
CsvTable read_csv_file(const std::filesystem::path& path);

}  // namespace rim
