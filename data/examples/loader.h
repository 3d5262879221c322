// Which samples make up which optimizer step: a pure function of (seed, step), so resuming needs no state, and the same
// global batch is drawn for any number of ranks and accumulation steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "data/examples/sample.h"

namespace rim {

// One forward pass's rows, right-padded. targets[r, t] is the token that follows tokens[r, t], or kIgnore where the
// loss does not ask for it.
struct MicroBatch {
  static constexpr std::int64_t kIgnore = -100;
  std::int64_t rows = 0;
  std::int64_t length = 0;
  std::vector<TokenId> tokens;   // [rows, length], row-major
  std::vector<TokenId> targets;  // [rows, length]
  std::int64_t trained_tokens = 0;
};

// What one rank computes in one optimizer step.
struct StepBatch {
  std::vector<MicroBatch> micro_batches;  // one per accumulation step
  std::int64_t trained_tokens_all_ranks = 0;
  std::int64_t tokens_all_ranks = 0;  // without padding
};

struct LoaderOptions {
  std::int64_t rows_per_micro_batch = 1;  // per_device_train_batch_size
  std::int64_t accumulation_steps = 1;
  int rank = 0;
  int world_size = 1;
  std::uint64_t seed = 1;
  TokenId padding_token = 0;
};

// All that decides which samples a step sees, for storing and comparing: where two agree, a step means the same.
struct LoaderIdentity {
  std::int64_t global_batch = 0;  // samples a step, over all ranks
  std::uint64_t seed = 1;
  std::int64_t samples_per_epoch = 0;
  std::string samples_sha256;  // of the samples' tokens, masks and weights, in order
};

// Samples of an epoch where sample i comes weights[i] times (a fraction f of a weight: round(f x samples of that
// fraction)). Throws Error(config) for a weight below zero and for more than 1e9, Error(bad_data) for none.
std::int64_t count_samples_per_epoch(const std::vector<double>& weights);

// Lower-case hexadecimal SHA-256 of the samples' tokens, masks and weights, in order; as many weights as samples.
std::string digest_of(const std::vector<Sample>& samples, const std::vector<double>& weights);

// Every rank holds all samples (tokenised once, deterministic) and cuts out its share. Thread-safe when const.
class Loader {
 public:
  // `weights[i]`: copies of sample i per epoch (a fraction f is a seeded f-subset); empty: 1 each. Throws as
  // count_samples_per_epoch.
  Loader(std::vector<Sample> samples, std::vector<double> weights, LoaderOptions options);

  [[nodiscard]] StepBatch batch_for_step(std::int64_t step) const;  // step counts from 0
  [[nodiscard]] const LoaderOptions& options() const { return options_; }
  // Reads all samples: call it once.
  [[nodiscard]] LoaderIdentity identity() const;
  // Sample indices of a step's global batch, in order; rank r's micro-batch m holds a contiguous slice.
  [[nodiscard]] std::vector<std::size_t> global_batch(std::int64_t step) const;

 private:
  [[nodiscard]] std::int64_t global_batch_size() const;
  // The last one asked for is kept: it is shuffled once an epoch, not once a step.
  [[nodiscard]] std::shared_ptr<const std::vector<std::size_t>> epoch_order(std::uint64_t epoch) const;
  [[nodiscard]] std::vector<std::size_t> draw_order(std::uint64_t epoch) const;

  std::vector<Sample> samples_;
  std::vector<double> weights_;
  LoaderOptions options_;
  std::int64_t samples_per_epoch_ = 0;
  mutable std::mutex last_epoch_mutex_;
  mutable std::uint64_t last_epoch_ = 0;
  mutable std::shared_ptr<const std::vector<std::size_t>> last_order_;
};

}  // namespace rim
