#include "launch/verbs/startup_table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "data/support/sha256.h"
#include "launch/verbs/terminal.h"
#include "launch/verbs/version.h"

namespace rim {
namespace {

using Row = std::pair<std::string, std::string>;

const std::string kWarning = "\n              WARNING: ";  // a line of its own below a row

std::string count(double value) { return grouped(std::llround(value)); }
std::string count(std::int64_t value) { return grouped(value); }

std::string plural(std::int64_t number, const std::string& noun) {
  return grouped(number) + " " + noun + (number == 1 ? "" : "s");
}

std::string version_row() {
  return rimscope_version() + " (" + git_commit() + (git_dirty() == "true" ? ", with local changes" : "") +
         "), libtorch " + libtorch_version() + ", HDF5 " + hdf5_version() + ", " + mpi_version();
}

std::string world_row(const TableInputs& inputs) {
  std::map<std::string, std::int64_t> hosts;
  for (const RankFacts& rank : inputs.ranks) ++hosts[rank.host];
  std::string text = plural(static_cast<std::int64_t>(inputs.ranks.size()), "rank") + " on ";
  std::string names;
  for (const auto& [host, ranks] : hosts)
    names += (names.empty() ? "" : ", ") + host + " (" + std::to_string(ranks) + ")";
  return text + names + ", " + plural(inputs.ranks.front().threads, "thread") + " each, talking over " +
         inputs.transport;
}

std::string model_row(const TableInputs& inputs) {
  const ModelSettings& settings = inputs.config.model;
  const std::string origin =
      settings.folder.empty() ? settings.config.string() + ", random weights" : settings.folder.string();
  return inputs.model.config.model_type + " of " + origin;
}

std::string parameters_row(const RunPlan& plan) {
  const double share = 100.0 * static_cast<double>(plan.trainable_parameters) / static_cast<double>(plan.parameters);
  return count(plan.parameters) + ", of which " + count(plan.trainable_parameters) + " are trained (" +
         short_number(share, 4) + "%)";
}

std::string data_row(const TableInputs& inputs) {
  const TrainingData& data = inputs.data;
  return plural(data.rows, "row") + ", " + count(data.statistics.dropped) + " dropped, " +
         count(data.statistics.truncated) + " truncated; " + count(data.tokens_per_epoch()) + " tokens per epoch, " +
         count(data.trained_tokens_per_epoch()) + " of them trained" +
         length_warning("the longest sample", inputs.plan.longest_sample, inputs.model.config.max_position_embeddings);
}

std::string batch_warning(const RunPlan& plan) {
  if (plan.global_batch <= plan.samples_per_epoch) return "";
  return kWarning + "more than the " + plural(plan.samples_per_epoch, "sample") +
         " of an epoch: a step takes some of them several times";
}

std::string batch_row(const TableInputs& inputs) {
  const OptimizationSettings& settings = inputs.config.optimization;
  return plural(settings.per_device_train_batch_size, "sample") + " x " +
         plural(static_cast<std::int64_t>(inputs.ranks.size()), "rank") + " x " +
         plural(settings.gradient_accumulation_steps, "accumulation step") + " = " + count(inputs.plan.global_batch) +
         " samples per step" + batch_warning(inputs.plan);
}

std::string steps_row(const RunPlan& plan) {
  return count(plan.steps) + " (" + short_number(static_cast<double>(plan.steps) / plan.steps_per_epoch, 4) +
         " epochs of " + short_number(plan.steps_per_epoch, 6) + "), " + count(plan.warmup_steps) + " of them warm-up";
}

std::int64_t most_ranks_on_a_host(const std::vector<RankFacts>& ranks) {
  std::map<std::string, std::int64_t> hosts;
  std::int64_t most = 0;
  for (const RankFacts& rank : ranks) most = std::max(most, ++hosts[rank.host]);
  return most;
}

struct GpuLoad {
  std::int64_t ranks = 0;
  double memory_bytes = 0;
};

// The GPU with the least memory for each of its ranks.
GpuLoad tightest_gpu(const std::vector<RankFacts>& ranks) {
  std::map<std::string, GpuLoad> gpus;
  for (const RankFacts& rank : ranks) {
    GpuLoad& gpu = gpus[rank.host + " " + rank.gpu_identity];
    ++gpu.ranks;
    gpu.memory_bytes = static_cast<double>(rank.gpu_memory_bytes);
  }
  const auto memory_for_each = [](const auto& entry) {
    return entry.second.memory_bytes / static_cast<double>(entry.second.ranks);
  };
  return std::ranges::min_element(gpus, {}, memory_for_each)->second;
}

std::string disk_row(const TableInputs& inputs) {
  const std::int64_t free = free_disk_bytes(inputs.config.output_dir);
  std::string text = "about " + byte_text(inputs.plan.checkpoint_bytes) + " a checkpoint, " +
                     byte_text(inputs.plan.disk_bytes) + " at most at once; " +
                     (free < 0 ? "?" : byte_text(static_cast<double>(free))) + " free";
  if (free >= 0 && inputs.plan.disk_bytes > static_cast<double>(free)) {
    text += kWarning + "more than is free: save_total_limit keeps fewer";
  }
  return text;
}

std::string seeds_row(const RunConfig& config) {
  const std::string weights = config.model.folder.empty() ? ", weights " + std::to_string(config.model.seed) : "";
  return "run " + std::to_string(config.seed) + weights;
}

std::string monitors_row(const TableInputs& inputs) {
  if (inputs.config.monitors.empty()) return "none";
  std::string kinds;
  for (const MonitorSettings& monitor : inputs.config.monitors) kinds += (kinds.empty() ? "" : ", ") + monitor.kind;
  return kinds + "; " + plural(inputs.plan.checkpoints + 1, "observation") + ", the base model's first" +
         length_warning("the longest prompt with its new tokens", inputs.plan.longest_generation,
                        inputs.model.config.max_position_embeddings);
}

std::string start_row(const RunStart& start) {
  if (start.checkpoint.empty()) return "afresh, run " + start.run_id;
  return "from step " + count(start.step) + " of " + start.checkpoint + ", run " + start.run_id;
}

}  // namespace

std::string memory_text(double bytes_per_rank, const std::vector<RankFacts>& ranks, double free_on_this_host) {
  const std::string text = "about " + byte_text(bytes_per_rank) + " a rank, ";
  if (ranks.front().device == "cpu") {
    const double on_host = bytes_per_rank * static_cast<double>(most_ranks_on_a_host(ranks));
    return text + byte_text(on_host) + " on a host; " + byte_text(free_on_this_host) + " free here" +
           (on_host > free_on_this_host
                ? kWarning + "more than is free: fewer samples per device or ranks, or fewer parameters (trainable)"
                : "");
  }
  const GpuLoad gpu = tightest_gpu(ranks);
  const double on_gpu = bytes_per_rank * static_cast<double>(gpu.ranks);
  return text + byte_text(on_gpu) + " on a GPU of " + byte_text(gpu.memory_bytes) +
         (on_gpu > gpu.memory_bytes
              ? kWarning + "more than the GPU has: " + (gpu.ranks > 1 ? "fewer ranks on it, " : "") +
                    "fewer samples per device, or fewer parameters (trainable)"
              : "");
}

std::string length_warning(const std::string& what, std::int64_t tokens, std::int64_t positions) {
  if (tokens <= positions) return "";
  return kWarning + what + " has " + count(tokens) + " tokens, more than the " + count(positions) +
         " positions that the model was made for (max_position_embeddings)";
}

std::string devices_text(const std::vector<RankFacts>& ranks) {
  std::string text, warnings;
  std::set<std::string> warned;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    text += (i == 0 ? "" : ", ") + ("rank " + std::to_string(i) + ": " + ranks[i].device);
    if (ranks[i].gpu_note.empty() || !warned.insert(ranks[i].host).second) continue;
    warnings += kWarning + "no GPU is used on " + ranks[i].host + ": " + ranks[i].gpu_note;
  }
  return text + warnings;
}

std::string startup_table(const TableInputs& inputs) {
  std::vector<Row> rows{{"rimscope", version_row()},
                        {"world", world_row(inputs)},
                        {"devices", devices_text(inputs.ranks)},
                        {"model", model_row(inputs)},
                        {"parameters", parameters_row(inputs.plan)},
                        {"dtype", inputs.dtype},
                        {"data", data_row(inputs)},
                        {"batch", batch_row(inputs)},
                        {"steps", steps_row(inputs.plan)},
                        {"memory", memory_text(inputs.plan.memory_bytes, inputs.ranks,
                                               static_cast<double>(inputs.hardware.available_bytes))},
                        {"disk", disk_row(inputs)},
                        {"monitors", monitors_row(inputs)},
                        {"seeds", seeds_row(inputs.config)},
                        {"config", "sha256 " + sha256_hex(inputs.config.text) +
                                       (inputs.start == nullptr ? "" : ", the same on all ranks")},
                        {"output", inputs.config.output_dir.string()}};
  if (inputs.start != nullptr) rows.emplace_back("start", start_row(*inputs.start));
  std::string text;
  for (const auto& [label, value] : rows) text += label + std::string(14 - label.size(), ' ') + value + "\n";
  return text;
}

}  // namespace rim
