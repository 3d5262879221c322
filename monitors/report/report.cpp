#include "monitors/report/report.h"

#include "data/support/files.h"
#include "monitors/recorder/run_reader.h"
#include "monitors/report/html.h"
#include "monitors/report/sections.h"
#include "monitors/report/style_sheet.h"

namespace rim {
namespace {

// Nothing can be fetched and no script can run, whatever a run's text holds.
constexpr const char* kPolicy = "default-src 'none'; style-src 'unsafe-inline'";

std::string fact_or(const std::map<std::string, std::string>& facts, const std::string& name,
                    const std::string& fallback) {
  const auto found = facts.find(name);
  return found == facts.end() || found->second.empty() ? fallback : found->second;
}

std::string observations_in_words(const RunReader& run) {
  const std::vector<std::int64_t> steps = run.steps();
  if (steps.empty()) return "no observation yet";
  if (steps.size() == 1) return "one observation, at step " + std::to_string(steps.front());
  return std::to_string(steps.size()) + " observations, steps " + std::to_string(steps.front()) + " to " +
         std::to_string(steps.back());
}

std::string head(const std::string& title) {
  using report::element;
  return "<head><meta charset=\"utf-8\">"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"" +
         report::escape(kPolicy) + "\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">" +
         report::text_element("title", {}, title) + element("style", {}, report::style_sheet()) + "</head>";
}

// "organism/target" of any way to write the path: the folder and the one it lies in tell runs apart.
std::string run_title(const std::filesystem::path& run_folder) {
  std::filesystem::path folder = std::filesystem::absolute(run_folder).lexically_normal();
  if (folder.filename().empty()) folder = folder.parent_path();
  return (folder.parent_path().filename() / folder.filename()).string();
}

std::string page_header(const RunReader& run, const std::string& title, const std::string& origin) {
  using report::text_element;
  const std::string inside = text_element("p", {{"class", "brand"}}, "RIMscope") + text_element("h1", {}, title) +
                             text_element("p", {{"class", "facts-line"}}, observations_in_words(run) + " · " + origin) +
                             report::headline_cards(run);
  return report::element("header", {{"class", "top"}}, report::element("div", {}, inside));
}

// What the monitors saw; nothing where they have not looked yet.
std::string observed_sections(const RunReader& run) {
  if (run.steps().empty()) return "";
  std::string sections;
  for (const report::Section& section : {report::behaviour_section(run), report::entanglement_section(run),
                                         report::neuron_section(run), report::score_section(run)}) {
    sections += report::render_section(section);
  }
  return sections;
}

}  // namespace

std::string render_report(const std::filesystem::path& run_folder) {
  const RunReader run(run_folder / "run.h5");
  const auto facts = run.provenance();
  const std::string title = run_title(run_folder);
  const std::string origin = "run " + fact_or(facts, "run_id", "of unknown identity") + " · created " +
                             fact_or(facts, "created", "at an unknown time");
  std::string sections = observed_sections(run) +
                         report::render_section(report::training_section(run_folder, report::resumed_after(run))) +
                         report::render_section(report::facts_section(run));
  if (!run.steps().empty()) sections += report::render_section(report::other_section(run, sections));
  const std::string footer = report::text_element(
      "footer", {},
      "Drawn from run.h5 alone, and log.jsonl where there is one. Shares and scores come with an interval where their "
      "prompts allow one; activations of the safety-critical neurons and RAS are drawn beside their controls only.");
  const std::string body = page_header(run, title, origin) + report::element("main", {}, sections + footer);
  return "<!DOCTYPE html>\n<html lang=\"en\">" + head(title + " · RIMscope report") +
         report::element("body", {}, body) + "</html>\n";
}

std::filesystem::path write_report(const std::filesystem::path& run_folder) {
  std::filesystem::path path = run_folder / "report.html";
  write_file_atomically(path, render_report(run_folder));
  return path;
}

}  // namespace rim
