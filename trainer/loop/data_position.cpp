#include "trainer/loop/data_position.h"

#include "data/support/error.h"
#include "trainer/checkpoint/trainer_state.h"

namespace rim {
namespace {

[[noreturn]] void refuse(const std::string& origin, const std::string& difference, const std::string& remedy) {
  throw Error(ExitCode::config, origin + ": " + difference + ": its steps would stand for other samples. " + remedy +
                                    ", or start a new run from its weights (model.path)");
}

// "gradient_accumulation_steps=4 keeps 32", where whole steps can.
std::string batch_remedy(std::int64_t wanted, const LoaderOptions& options) {
  const std::int64_t micro_batches = options.rows_per_micro_batch * options.world_size;
  if (wanted % micro_batches != 0) return "Choose the three so that their product is " + std::to_string(wanted);
  return "gradient_accumulation_steps=" + std::to_string(wanted / micro_batches) + " keeps " + std::to_string(wanted);
}

std::string product(const LoaderOptions& options) {
  return "per_device_train_batch_size " + std::to_string(options.rows_per_micro_batch) +
         " x gradient_accumulation_steps " + std::to_string(options.accumulation_steps) + " x " +
         std::to_string(options.world_size) + (options.world_size == 1 ? " rank" : " ranks");
}

}  // namespace

Json to_json(const LoaderIdentity& identity) {
  return {{"global_batch", identity.global_batch},
          {"seed", static_cast<std::int64_t>(identity.seed)},
          {"samples_per_epoch", identity.samples_per_epoch},
          {"samples_sha256", identity.samples_sha256}};
}

void require_same_data(const Json& saved, const LoaderIdentity& now, const LoaderOptions& options,
                       const std::string& origin) {
  const std::int64_t batch = json_integer(saved, "global_batch", origin);
  if (batch != now.global_batch) {
    refuse(origin,
           "was trained with " + std::to_string(batch) + " samples a step, and this run takes " +
               std::to_string(now.global_batch) + " (" + product(options) + ")",
           batch_remedy(batch, options));
  }
  const std::int64_t seed = json_integer(saved, "seed", origin);
  if (static_cast<std::uint64_t>(seed) != now.seed) {
    refuse(origin, "drew its data with seed " + std::to_string(seed) + ", and this run has " + std::to_string(now.seed),
           "Resume with seed=" + std::to_string(seed));
  }
  const std::int64_t samples = json_integer(saved, "samples_per_epoch", origin);
  const std::string remedy = "Resume with the files, the data options and the tokenizer that the run began with";
  if (samples != now.samples_per_epoch) {
    refuse(origin,
           "was trained on " + std::to_string(samples) + " samples an epoch, and this run has " +
               std::to_string(now.samples_per_epoch),
           remedy);
  }
  if (json_string(saved, "samples_sha256", origin) != now.samples_sha256) {
    refuse(origin, "was trained on samples with other tokens, masks or weights", remedy);
  }
}

void require_continuation(const std::filesystem::path& checkpoint, const LoaderIdentity& now,
                          const LoaderOptions& options, std::int64_t max_steps) {
  const TrainerState state = read_trainer_state(checkpoint);
  require_same_data(state.progress.contains("data") ? state.progress.at("data") : Json(), now, options,
                    checkpoint.string());
  if (state.step <= max_steps) return;
  throw Error(ExitCode::config, checkpoint.string() + ": there is nothing to do: it is at step " +
                                    std::to_string(state.step) + " already, and this run ends at step " +
                                    std::to_string(max_steps) + " (max_steps or num_train_epochs)");
}

}  // namespace rim
