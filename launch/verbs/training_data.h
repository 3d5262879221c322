// The training files of a configuration as masked samples.
#pragma once

#include <cstdint>
#include <vector>

#include "data/examples/sample.h"
#include "launch/config/run_config.h"
#include "launch/verbs/model_inputs.h"

namespace rim {

struct TrainingData {
  std::vector<Sample> samples;
  std::vector<double> weights;  // copies of each sample per epoch
  SampleStatistics statistics;
  std::int64_t rows = 0;  // read from the files
  [[nodiscard]] double tokens_per_epoch() const;
  [[nodiscard]] double trained_tokens_per_epoch() const;
};

// Throws as read_examples and build_samples do; Error(bad_data) where no sample is left, also by
// the files' weights.
TrainingData load_training_data(const DataSettings& settings, const ModelInputs& model);

}  // namespace rim
