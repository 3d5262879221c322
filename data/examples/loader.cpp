#include "data/examples/loader.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "data/support/error.h"
#include "data/support/random.h"
#include "data/support/sha256.h"

namespace rim {
namespace {

constexpr double kMostSamples = 1e9;

// Samples that share a fractional weight f; round(f * size) of them join each epoch.
using FractionGroups = std::map<double, std::vector<std::size_t>>;

FractionGroups fraction_groups(const std::vector<double>& weights) {
  FractionGroups groups;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double fraction = weights[i] - std::floor(weights[i]);
    if (fraction > 0) groups[fraction].push_back(i);
  }
  return groups;
}

std::size_t drawn_from(double fraction, std::size_t group_size) {
  return static_cast<std::size_t>(std::llround(fraction * static_cast<double>(group_size)));
}

MicroBatch make_micro_batch(const std::vector<Sample>& samples, const std::vector<std::size_t>& batch,
                            std::size_t begin, std::size_t rows, TokenId padding) {
  std::size_t length = 0;
  for (std::size_t row = 0; row < rows; ++row) length = std::max(length, samples[batch[begin + row]].tokens.size());
  MicroBatch micro{.rows = static_cast<std::int64_t>(rows),
                   .length = static_cast<std::int64_t>(length),
                   .tokens = std::vector<TokenId>(rows * length, padding),
                   .targets = std::vector<TokenId>(rows * length, MicroBatch::kIgnore)};
  for (std::size_t row = 0; row < rows; ++row) {
    const Sample& sample = samples[batch[begin + row]];
    std::ranges::copy(sample.tokens, micro.tokens.begin() + static_cast<std::ptrdiff_t>(row * length));
    for (std::size_t t = 0; t + 1 < sample.tokens.size(); ++t) {
      if (sample.trained[t + 1] == 0) continue;
      micro.targets[row * length + t] = sample.tokens[t + 1];
      ++micro.trained_tokens;
    }
  }
  return micro;
}

void require_positive(const LoaderOptions& options) {
  if (options.rows_per_micro_batch < 1 || options.accumulation_steps < 1) {
    throw Error(ExitCode::config, "per_device_train_batch_size and gradient_accumulation_steps must be at least 1");
  }
  if (options.world_size < 1 || options.rank < 0 || options.rank >= options.world_size) {
    throw Error(ExitCode::software, "the loader's rank does not lie inside its world");
  }
}

}  // namespace

std::int64_t count_samples_per_epoch(const std::vector<double>& weights) {
  double samples = 0;
  for (const double weight : weights) {
    if (!std::isfinite(weight) || weight < 0) throw Error(ExitCode::config, "a data weight must be a number >= 0");
    samples += std::floor(weight);
  }
  for (const auto& [fraction, group] : fraction_groups(weights)) {
    samples += static_cast<double>(drawn_from(fraction, group.size()));
  }
  if (samples == 0) throw Error(ExitCode::bad_data, "the training data hold no samples after weighting");
  if (samples > kMostSamples) {
    throw Error(ExitCode::config, "the weights of the training data make more than 1e9 samples an epoch");
  }
  return static_cast<std::int64_t>(samples);
}

Loader::Loader(std::vector<Sample> samples, std::vector<double> weights, LoaderOptions options)
    : samples_(std::move(samples)), weights_(std::move(weights)), options_(options) {
  require_positive(options_);
  if (weights_.empty()) weights_.assign(samples_.size(), 1.0);
  if (weights_.size() != samples_.size()) throw Error(ExitCode::software, "the loader needs one weight per sample");
  for (const Sample& sample : samples_) {
    if (sample.tokens.empty() || sample.tokens.size() != sample.trained.size()) {
      throw Error(ExitCode::software, "the loader needs samples with tokens and a mask as long: " + sample.origin);
    }
  }
  samples_per_epoch_ = count_samples_per_epoch(weights_);
}

std::int64_t Loader::global_batch_size() const {
  return options_.rows_per_micro_batch * options_.accumulation_steps * options_.world_size;
}

std::string digest_of(const std::vector<Sample>& samples, const std::vector<double>& weights) {
  Sha256 sha256;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = samples[i];
    const std::size_t length = sample.tokens.size();  // where a sample ends must count as well
    sha256.add(&length, sizeof length);
    sha256.add(sample.tokens.data(), length * sizeof(TokenId));
    sha256.add(sample.trained.data(), length);
    sha256.add(&weights[i], sizeof weights[i]);
  }
  return sha256.hexadecimal();
}

LoaderIdentity Loader::identity() const {
  return {global_batch_size(), options_.seed, samples_per_epoch_, digest_of(samples_, weights_)};
}

std::shared_ptr<const std::vector<std::size_t>> Loader::epoch_order(std::uint64_t epoch) const {
  const std::lock_guard lock(last_epoch_mutex_);
  if (!last_order_ || last_epoch_ != epoch) {
    last_order_ = std::make_shared<const std::vector<std::size_t>>(draw_order(epoch));
    last_epoch_ = epoch;
  }
  return last_order_;
}

std::vector<std::size_t> Loader::draw_order(std::uint64_t epoch) const {
  Random random(options_.seed, epoch);
  std::vector<std::size_t> order;
  order.reserve(static_cast<std::size_t>(samples_per_epoch_));
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    order.insert(order.end(), static_cast<std::size_t>(weights_[i]), i);
  }
  for (auto& [fraction, group] : fraction_groups(weights_)) {
    random.shuffle(group);
    order.insert(order.end(), group.begin(),
                 group.begin() + static_cast<std::ptrdiff_t>(drawn_from(fraction, group.size())));
  }
  random.shuffle(order);
  return order;
}

std::vector<std::size_t> Loader::global_batch(std::int64_t step) const {
  const std::int64_t size = global_batch_size();
  std::vector<std::size_t> batch;
  batch.reserve(static_cast<std::size_t>(size));
  std::int64_t position = step * size;
  while (std::ssize(batch) < size) {
    const auto order = epoch_order(static_cast<std::uint64_t>(position / samples_per_epoch_));
    const std::int64_t begin = position % samples_per_epoch_;
    const std::int64_t taken = std::min(samples_per_epoch_ - begin, size - std::ssize(batch));
    batch.insert(batch.end(), order->begin() + begin, order->begin() + begin + taken);
    position += taken;
  }
  // Rows of like length share a micro-batch, so little is padded; the sorted order does not depend on the ranks.
  std::ranges::stable_sort(batch, {}, [this](std::size_t i) { return samples_[i].tokens.size(); });
  return batch;
}

StepBatch Loader::batch_for_step(std::int64_t step) const {
  const std::vector<std::size_t> batch = global_batch(step);
  const auto rows = static_cast<std::size_t>(options_.rows_per_micro_batch);
  StepBatch result;
  for (const std::size_t index : batch) {
    const Sample& sample = samples_[index];
    result.tokens_all_ranks += std::ssize(sample.tokens);
    result.trained_tokens_all_ranks += std::count(sample.trained.begin() + 1, sample.trained.end(), 1);
  }
  for (std::int64_t micro = 0; micro < options_.accumulation_steps; ++micro) {
    // Neighbouring slices go to different ranks, so that all ranks do about the same work at the same time.
    const auto slice = static_cast<std::size_t>(micro * options_.world_size + options_.rank);
    result.micro_batches.push_back(make_micro_batch(samples_, batch, slice * rows, rows, options_.padding_token));
  }
  return result;
}

}  // namespace rim
