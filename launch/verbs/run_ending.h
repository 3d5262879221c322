// The last lines of a run: what came of it, where it lies, and the commands that go on from there.
#pragma once

#include <string>
#include <vector>

#include "launch/config/run_config.h"
#include "launch/verbs/run_start.h"
#include "trainer/loop/training_loop.h"

namespace rim {

struct EndedRun {
  const RunConfig& config;
  const RunPaths& paths;
  const std::vector<std::string>& argv;
  std::int64_t total_steps = 0;
  int world_size = 1;
};

std::string run_ending(const EndedRun& run, const TrainingResult& result, double observing_seconds);

// The call that continues the run from `checkpoint` ("auto" or a folder): the same words, resuming, and not overwriting
// any more where it did (`overwrites`).
std::string resume_command(const std::vector<std::string>& argv, int world_size, bool overwrites,
                           const std::string& checkpoint);

}  // namespace rim
