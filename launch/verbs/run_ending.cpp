#include "launch/verbs/run_ending.h"

#include "launch/verbs/provenance.h"
#include "launch/verbs/terminal.h"

namespace rim {

namespace {

// auto finds the run's own checkpoints; one elsewhere, from which nothing was saved yet, must be named.
std::string resumed_from(const EndedRun& run, const std::filesystem::path& last_checkpoint) {
  return last_checkpoint.empty() || last_checkpoint.parent_path() == run.paths.checkpoints ? "auto" : last_checkpoint;
}

}  // namespace

std::string resume_command(const std::vector<std::string>& argv, int world_size, bool overwrites,
                           const std::string& checkpoint) {
  std::vector<std::string> words;
  if (world_size > 1) words = {"mpirun", "-np", std::to_string(world_size)};
  for (const std::string& word : argv) {
    const bool replaced = word.starts_with("resume_from_checkpoint=") || word.starts_with("overwrite_output_dir=");
    if (!replaced) words.push_back(word);
  }
  if (overwrites) words.emplace_back("overwrite_output_dir=false");  // the file may say so, and not only the call
  words.emplace_back("resume_from_checkpoint=" + checkpoint);
  return shell_quoted(words);
}

std::string run_ending(const EndedRun& run, const TrainingResult& result, double observing_seconds) {
  const bool finished = result.reason == StopReason::finished;
  const StepRecord& last = result.last;
  std::string text = finished ? "finished" : "stopped on request";
  text += ": step " + grouped(last.step) + " of " + grouped(run.total_steps) + ", loss " + fixed_number(last.loss, 4) +
          ", " + grouped(last.tokens) + " tokens in " + duration_text(last.seconds) + " of training and " +
          duration_text(observing_seconds) + " of observing\n";
  if (!result.last_checkpoint.empty()) text += "  checkpoint  " + result.last_checkpoint.string() + "\n";
  text += "  record      " + run.paths.record.string() + "\n  log         " + run.paths.log.string() + "\n";
  if (finished) {
    text += "  report      " + shell_quoted({run.argv[0], "report", run.paths.folder.string()}) + "\n";
  } else {
    text += (result.last_checkpoint.empty() ? "  begin again " : "  resume      ") +
            resume_command(run.argv, run.world_size, run.config.overwrite_output_dir,
                           resumed_from(run, result.last_checkpoint)) +
            "\n";
  }
  return text;
}

}  // namespace rim
