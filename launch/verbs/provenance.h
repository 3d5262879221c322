// What a reader of run.h5 must know to repeat a run.
#pragma once

#include <string>
#include <vector>

#include "launch/config/run_config.h"
#include "monitors/recorder/recorder.h"

namespace rim {

struct RunFacts {
  std::string run_id;
  std::vector<std::string> argv;
  std::vector<std::string> hosts;    // one per rank
  std::vector<std::string> devices;  // one per rank
  std::string dtype;
  int threads = 1;
  std::int64_t parameters = 0;
  std::int64_t trainable_parameters = 0;
  std::int64_t steps = 0;
};

Provenance make_provenance(const RunConfig& config, const RunFacts& facts);

// The words as a shell would take them again.
std::string shell_quoted(const std::vector<std::string>& words);

}  // namespace rim
