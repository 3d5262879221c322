#include "trainer/loop/training_run.h"

#include <algorithm>
#include <limits>

#include "data/support/files.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/checkpoint_folders.h"
#include "trainer/checkpoint/trainer_state.h"
#include "trainer/loop/data_position.h"
#include "trainer/loop/run_folder.h"
#include "trainer/loop/weights_digest.h"

namespace rim {
namespace {

Json to_json(const StepRecord& record, const std::string& run_id, const LoaderIdentity& data) {
  return {{"run_id", run_id},     {"tokens", record.tokens},       {"seconds", record.seconds},
          {"loss", record.loss},  {"grad_norm", record.grad_norm}, {"learning_rate", record.learning_rate},
          {"data", to_json(data)}};
}

StepRecord record_from(const LoadedCheckpoint& checkpoint, const std::string& origin) {
  StepRecord record;
  record.step = checkpoint.step;
  record.tokens = json_integer(checkpoint.progress, "tokens", origin);
  record.seconds = json_number(checkpoint.progress, "seconds", origin);
  record.loss = json_number(checkpoint.progress, "loss", origin);
  record.grad_norm = json_number(checkpoint.progress, "grad_norm", origin);
  record.learning_rate = json_number(checkpoint.progress, "learning_rate", origin);
  return record;
}

// The loss says nothing of a weight that no batch has met since it broke. All ranks hold the same weights.
void require_finite(const AdamW& optimizer, std::int64_t step) {
  if (optimizer.finite()) return;
  throw Error(ExitCode::software, "step " + std::to_string(step) +
                                      ": weights are not finite: training diverged, and no checkpoint was written; "
                                      "lower learning_rate and resume from the last checkpoint");
}

}  // namespace

TrainingRun::TrainingRun(Decoder& model, const Loader& loader, const TrainingOptions& options,
                         Communicator& communicator, Observer* observer, ProgressSink* progress)
    : model_(model),
      loader_(loader),
      options_(options),
      communicator_(communicator),
      observer_(observer),
      progress_(progress),
      run_id_(options.run_id) {}

void TrainingRun::begin(AdamW& optimizer) {
  std::string found;
  std::vector<std::string> notes;
  communicator_.together("look for a checkpoint", [&] {
    data_ = loader_.identity();
    if (!first_rank()) return;
    require_writable_folder(options_.output_dir);
    found = find_resume_checkpoint(options_.output_dir, options_.resume_from_checkpoint, notes).value_or("").string();
  });
  for (const std::string& note : notes) tell(note);
  found = communicator_.all_gather(found, "share the checkpoint's name").front();
  if (found.empty()) {
    start_fresh(optimizer);
  } else {
    // What auto finds it has verified.
    resume(found, options_.checkpoint_verified || options_.resume_from_checkpoint == "auto", optimizer);
  }
  require_equal_starts();
}

void TrainingRun::start_fresh(AdamW& optimizer) {
  communicator_.together("start the run", [&] {
    if (options_.stored_parameter) optimizer.read_masters(options_.stored_parameter);
    if (!first_rank()) return;
    if (holds_checkpoints(options_.output_dir)) {
      throw Error(ExitCode::config, checkpoints_folder(options_.output_dir).string() +
                                        ": holds another run's checkpoints; resume it "
                                        "(resume_from_checkpoint: auto), or choose another output_dir");
    }
    log_ = std::make_unique<StepLog>(log_file(options_.output_dir), 0);
  });
}

void TrainingRun::resume(const std::filesystem::path& checkpoint, bool verified, AdamW& optimizer) {
  const bool first_on_host = communicator_.first_on_host("find the first rank of each host");
  communicator_.together("load the checkpoint", [&] {
    require_continuation(checkpoint, data_, loader_.options(), options_.max_steps);
    if (first_on_host && !(verified && first_rank())) verify_checkpoint(checkpoint);
    const LoadedCheckpoint loaded = load_checkpoint(checkpoint, model_);
    with_context(checkpoint.string(), [&] { optimizer.load_state(loaded.optimizer_state); });
    if (observer_ != nullptr) observer_->load_state(loaded.observer_state);
    record_ = record_from(loaded, checkpoint.string());
    run_id_ = json_string_or(loaded.progress, "run_id", run_id_, checkpoint.string());
    last_checkpoint_ = checkpoint;
  });
  communicator_.together("cut back the log", [&] {
    if (!first_rank()) return;
    if (options_.about_to_resume) options_.about_to_resume();
    for (const auto& folder : set_aside_later_checkpoints(options_.output_dir, record_.step)) {
      tell(folder.string() + ": set aside, it is later than the checkpoint that this run goes on from");
    }
    if (options_.resumed) options_.resumed();
    prune();  // the run may have ended between a save and its pruning
    log_ = std::make_unique<StepLog>(log_file(options_.output_dir), record_.step);
  });
  tell("resumed from " + checkpoint.string());
  if (finished()) tell("finished already at step " + std::to_string(record_.step) + ": there is nothing to train");
}

// Ranks that start from different weights or samples (a file that differs between nodes, say) would train on without
// any sign.
void TrainingRun::require_equal_starts() {
  const auto weights = communicator_.all_gather(weights_digest(model_.parameters()), "compare the ranks' weights");
  const auto data = communicator_.all_gather(to_json(data_).dump(), "compare the ranks' samples");
  for (std::size_t rank = 1; rank < weights.size(); ++rank) {
    if (weights[rank] == weights[0] && data[rank] == data[0]) continue;
    const std::string what = weights[rank] == weights[0] ? "other samples" : "other weights";
    throw Error(ExitCode::bad_data,
                "rank " + std::to_string(rank) + " starts from " + what + " than rank 0; do they read the same files?");
  }
}

void TrainingRun::advance(double loss, double learning_rate, double grad_norm, std::int64_t tokens, double seconds) {
  ++record_.step;
  record_.loss = loss;
  record_.learning_rate = learning_rate;
  record_.grad_norm = grad_norm;
  record_.tokens += tokens;
  record_.seconds += seconds;
  record_.tokens_per_second = static_cast<double>(tokens) / seconds;
  const bool logged = record_.step % std::max<std::int64_t>(1, options_.logging_steps) == 0 || finished();
  if (first_rank()) show_step(logged);
}

// On this rank alone, so whatever fails waits for agree_on_stopping(), where all ranks meet.
void TrainingRun::show_step(bool logged) {
  try {
    if (logged) log_->append(record_);
    if (progress_ != nullptr) progress_->on_step(record_, options_.max_steps, logged);
  } catch (const Error& error) {
    failure_here_ = error;
  } catch (const std::exception& error) {
    failure_here_ = Error(ExitCode::software, error.what());
  }
}

bool TrainingRun::agree_on_stopping(bool wanted_here) {
  // One scalar a step carries both questions.
  constexpr double kStop = 1.0, kFailed = 2.0;
  const double mine = failure_here_ ? kFailed : wanted_here ? kStop : 0.0;
  const double all = communicator_.maximum(mine, "agree on stopping");
  if (all == kFailed) communicator_.agree(failure_here_, "show the step");
  return all == kStop;
}

bool TrainingRun::checkpoint_due() const {
  if (record_.step == 0) return false;
  return finished() || (options_.save_steps > 0 && record_.step % options_.save_steps == 0);
}

void TrainingRun::save(const AdamW& optimizer) {
  const TensorMap observer_state = observer_ == nullptr ? TensorMap{} : observer_->state();
  communicator_.together("save the checkpoint of step " + std::to_string(record_.step), [&] {
    require_finite(optimizer, record_.step);
    if (first_rank()) write_checkpoint(optimizer, observer_state);
  });
  last_checkpoint_ = checkpoints_folder(options_.output_dir) / checkpoint_name(record_.step);
  tell("checkpoint " + last_checkpoint_.string());
}

void TrainingRun::write_checkpoint(const AdamW& optimizer, const TensorMap& observer_state) {
  log_->sync();
  save_checkpoint(checkpoints_folder(options_.output_dir),
                  {record_.step, to_json(record_, run_id_, data_), model_.parameters(), model_.config().source,
                   optimizer.state(), observer_state},
                  options_.model_files);
  prune();
}

void TrainingRun::prune() {
  const auto keep = options_.save_total_limit.value_or(std::numeric_limits<std::int64_t>::max());
  for (const std::string& note : prune_checkpoints(checkpoints_folder(options_.output_dir), keep))
    tell("note: " + note);
}

void TrainingRun::observe() {
  if (observer_ != nullptr) observer_->at_checkpoint(model_, record_.step, record_.tokens);
}

void TrainingRun::tell(const std::string& line) {
  if (first_rank() && progress_ != nullptr) progress_->on_message(line);
}

}  // namespace rim
