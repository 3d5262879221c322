// A training run small enough for a test: a tiny model, seeded samples in memory, everything recorded.
#pragma once

#include <ATen/ATen.h>

#include "data/support/random.h"
#include "tests/trainer/alone.h"
#include "tests/trainer/tiny_model.h"
#include "trainer/loop/training_loop.h"

namespace rim::testing {

// Lengths and masks differ a lot, so that a loss normalised per rank or per micro-batch would show.
inline std::vector<Sample> tiny_samples(std::size_t count = 24) {
  Random random(5);
  std::vector<Sample> samples(count);
  for (Sample& sample : samples) {
    const auto length = 4 + random.below(20);
    for (std::uint64_t i = 0; i < length; ++i) {
      sample.tokens.push_back(static_cast<TokenId>(random.below(61)));
      sample.trained.push_back(i > 1 && random.below(3) == 0 ? 1 : 0);
    }
    sample.trained.back() = 1;
  }
  return samples;
}

inline TrainingOptions tiny_options(const std::filesystem::path& output_dir, std::int64_t max_steps = 6) {
  TrainingOptions options;
  options.output_dir = output_dir;
  options.max_steps = max_steps;
  options.schedule = {SchedulerType::cosine, 5e-3, 2, max_steps};
  options.optimizer.weight_decay = 0.1;
  options.max_grad_norm = 0.5;
  options.run_id = "tiny";
  options.bucket_bytes = 4096;  // several buckets, of which the embeddings overfill one
  return options;
}

struct RecordingSink : ProgressSink {
  void on_step(const StepRecord& record, std::int64_t, bool) override { records.push_back(record); }
  void on_message(const std::string& line) override { messages.push_back(line); }
  std::vector<StepRecord> records;
  std::vector<std::string> messages;
};

// The loader of `communicator`'s rank for a global batch of `global_rows`.
inline Loader tiny_loader(const Communicator& communicator, std::int64_t global_rows, std::int64_t accumulation,
                          std::uint64_t seed = 1, std::vector<Sample> samples = tiny_samples()) {
  LoaderOptions options;
  options.seed = seed;
  options.rows_per_micro_batch = global_rows / communicator.size() / accumulation;
  options.accumulation_steps = accumulation;
  options.rank = communicator.rank();
  options.world_size = communicator.size();
  return {std::move(samples), {}, options};
}

// Losses, norms and weights of a run.
struct Trained {
  std::vector<double> losses, norms;  // rank 0 only
  std::vector<at::Tensor> weights;
  TrainingResult result;
  std::vector<std::string> messages;
};

inline Trained run_tiny(Communicator& communicator, const TrainingOptions& options, std::int64_t accumulation = 1,
                        at::ScalarType dtype = at::kFloat, Observer* observer = nullptr,
                        const std::function<bool()>& stop = {}) {
  Decoder model = tiny_decoder(dtype);
  RecordingSink sink;
  Trained trained;
  trained.result =
      train(model, tiny_loader(communicator, 16, accumulation), options, communicator, observer, &sink, stop);
  for (const StepRecord& record : sink.records) {
    trained.losses.push_back(record.loss);
    trained.norms.push_back(record.grad_norm);
  }
  for (const NamedParameter& parameter : model.parameters()) trained.weights.push_back(parameter.tensor.detach());
  trained.messages = sink.messages;
  return trained;
}

}  // namespace rim::testing
