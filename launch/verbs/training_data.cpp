#include "launch/verbs/training_data.h"

#include <algorithm>
#include <numeric>

#include "data/examples/loader.h"
#include "data/support/error.h"

namespace rim {

double TrainingData::tokens_per_epoch() const {
  double tokens = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) tokens += weights[i] * static_cast<double>(samples[i].tokens.size());
  return tokens;
}

double TrainingData::trained_tokens_per_epoch() const {
  double tokens = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto& mask = samples[i].trained;
    tokens += weights[i] * static_cast<double>(std::count(mask.begin(), mask.end(), std::uint8_t{1}));
  }
  return tokens;
}

TrainingData load_training_data(const DataSettings& settings, const ModelInputs& model) {
  TrainingData data;
  const SampleOptions options{.max_length = settings.max_length, .thinking = parse_thinking_mode(settings.thinking)};
  for (const DataFileSettings& file : settings.train) {
    const std::vector<Example> examples =
        read_examples({.path = file.path, .format = file.format, .weight = file.weight, .limit = file.limit});
    data.rows += static_cast<std::int64_t>(examples.size());
    std::vector<Sample> samples =
        build_samples(examples, model.tokenizer, model.chat_template, model.end_of_sequence, options, data.statistics);
    data.weights.insert(data.weights.end(), samples.size(), file.weight);
    std::move(samples.begin(), samples.end(), std::back_inserter(data.samples));
  }
  if (data.samples.empty()) {
    throw Error(ExitCode::bad_data, "no training sample is left: data.max_length (" +
                                        std::to_string(settings.max_length) +
                                        ") cuts every one before its first trained token");
  }
  count_samples_per_epoch(data.weights);  // refuses what the loader would refuse later
  return data;
}

}  // namespace rim
