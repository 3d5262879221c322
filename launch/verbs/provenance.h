// What a reader of run.h5 must know to repeat a run.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "launch/config/run_config.h"
#include "launch/verbs/gpus.h"
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
  // What was trained and measured, by content; hexadecimal digests.
  std::string base_weights;                        // weights_digest of the model that step 0 shows
  std::string training_samples;                    // digest_of the samples
  std::map<std::string, std::string> prompt_sets;  // digest_of each, by name
  // The first rank's host.
  std::string processor;
  std::vector<std::string> gpus;
  CudaVersions cuda;
};

Provenance make_provenance(const RunConfig& config, const RunFacts& facts);

// The words as a shell would take them again.
std::string shell_quoted(const std::vector<std::string>& words);

}  // namespace rim
