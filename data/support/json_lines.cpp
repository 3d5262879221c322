#include "data/support/json_lines.h"

#include <algorithm>
#include <cstdint>

#include "data/support/error.h"
#include "data/support/files.h"
#include "data/support/text.h"

namespace rim {

void visit_json_lines(const std::filesystem::path& path,
                      const std::function<bool(const Json& row, const std::string& origin)>& visit) {
  const std::string text = read_text_file(path);
  refuse_git_lfs_pointer(text, path.string());
  std::string_view rest = text;
  for (std::int64_t line = 1; !rest.empty(); ++line) {
    const std::size_t length = std::min(rest.find('\n'), rest.size());
    const std::string_view content = trim(rest.substr(0, length));
    rest.remove_prefix(std::min(length + 1, rest.size()));
    if (content.empty()) continue;
    const std::string origin = path.string() + ":" + std::to_string(line);
    const Json row = parse_json(content, origin);
    if (!row.is_object()) throw Error(ExitCode::bad_data, origin + ": expected a JSON object, one a line");
    if (!visit(row, origin)) return;
  }
}

void write_json_lines(const std::filesystem::path& path, const std::vector<nlohmann::ordered_json>& rows) {
  std::string text;
  for (const auto& row : rows) text += row.dump() + "\n";
  write_file_atomically(path, text);
}

}  // namespace rim
