// run.h5 (and log.jsonl beside it) to one self-contained HTML page.
#pragma once

#include <filesystem>
#include <string>

namespace rim {

// The page's text: inline SVG, readable without scripts, nothing fetched. Throws as RunReader does.
std::string render_report(const std::filesystem::path& run_folder);
// Writes <run_folder>/report.html atomically and returns its path.
std::filesystem::path write_report(const std::filesystem::path& run_folder);

}  // namespace rim
