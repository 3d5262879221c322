#include "launch/verbs/train_job.h"

#include <iostream>
#include <utility>

#include "data/support/files.h"
#include "data/support/sha256.h"
#include "launch/verbs/ending.h"
#include "launch/verbs/progress_display.h"
#include "launch/verbs/run_ending.h"
#include "launch/verbs/stop_signals.h"
#include "trainer/loop/training_loop.h"
#include "trainer/loop/weights_digest.h"
#include "trainer/model/safetensors.h"

namespace rim {
namespace {

std::filesystem::path model_source(const ModelSettings& settings) {
  return settings.folder.empty() ? settings.config : settings.folder;
}

// There, whole by their headers, and this model's by name and shape; no values are read.
void require_weights(const std::filesystem::path& folder, const ModelConfig& config) {
  const WeightFolder weights(folder);
  with_context(folder.string(), [&] { Decoder(config, at::kFloat, at::kMeta).require_fit(weights); });
}

// Random weights have no file, and a resumed run takes its master weights from the checkpoint.
std::function<at::Tensor(const std::string&)> stored_parameters(const ModelSettings& settings,
                                                                const ModelConfig& config, const RunStart& start) {
  if (settings.folder.empty() || !start.checkpoint.empty()) return {};
  return [config, weights = std::make_shared<WeightFolder>(settings.folder)](const std::string& name) {
    return read_parameter(*weights, config, name);
  };
}

std::unique_ptr<Decoder> load_or_initialize(const ModelSettings& settings, const ModelConfig& config,
                                            at::ScalarType dtype, at::Device device) {
  if (!settings.folder.empty()) return std::make_unique<Decoder>(load_decoder(settings.folder, dtype, device));
  auto model = std::make_unique<Decoder>(config, dtype, device);
  model->initialize(settings.seed);
  return model;
}

std::vector<RankFacts> gather_facts(const RankFacts& mine, Communicator& communicator) {
  std::vector<RankFacts> all;
  for (const std::string& text : communicator.all_gather(to_json(mine).dump(), "introduce the ranks")) {
    all.push_back(rank_facts_from_json(Json::parse(text)));
  }
  return all;
}

}  // namespace

TrainJob::TrainJob(const Invocation& call, RunConfig config, MonitorRegistry registry)
    : call_(call),
      config_(std::move(config)),
      registry_(std::move(registry)),
      paths_(config_.output_dir),
      gpus_(survey_gpus()),
      hardware_(survey_hardware()) {}

TrainJob::~TrainJob() = default;

int TrainJob::run() {
  const StopSignals signals;
  use_fair_share_of_cores(call_.session);
  connect();
  require_same(sha256_hex(config_.text), "configurations");
  for (const auto phase :
       {&TrainJob::agree_on_start, &TrainJob::time_dtypes, &TrainJob::load_inputs, &TrainJob::load_model}) {
    (this->*phase)();
    if (stop_requested()) return stop_before_training();
  }
  open_run();
  return train_and_report();
}

bool TrainJob::stop_requested() {
  return communicator_->maximum(StopSignals::requested() ? 1.0 : 0.0, "agree on stopping") > 0;
}

// Nothing was written yet.
int TrainJob::stop_before_training() {
  say("stopped on request before training began; the same call begins again");
  return static_cast<int>(ExitCode::preempted);
}

int TrainJob::dry_run() {
  const DeviceChoice choice = choose_device(config_.device, call_.session.local_rank(), gpus_);
  device_ = choice.device;
  transport_ = device_.is_cuda() && call_.session.size() > 1 ? "NCCL, or MPI where ranks share a GPU" : "MPI";
  time_dtypes();
  load_inputs();
  std::vector<RankFacts> ranks{facts_of_this_rank(choice, gpus_, call_.session.threads())};
  if (call_.session.size() > 1) ranks = gather_facts(ranks.front(), *make_mpi_communicator({config_.ddp_timeout}));
  if (first_rank()) std::cout << startup_table(table_inputs(ranks));
  return 0;
}

void TrainJob::connect() {
  const DeviceChoice choice = choose_device(config_.device, call_.session.local_rank(), gpus_);
  device_ = choice.device;
  Connection connection = connect_ranks(device_, config_.ddp_timeout, gpus_);
  communicator_ = std::move(connection.communicator);
  transport_ = connection.transport;
  ranks_ = gather_facts(facts_of_this_rank(choice, gpus_, call_.session.threads()), *communicator_);
  for (std::size_t rank = 1; rank < ranks_.size(); ++rank) {
    if ((ranks_[rank].device == "cpu") == (ranks_[0].device == "cpu")) continue;
    throw Error(ExitCode::config, "rank 0 (" + ranks_[0].host + ") would use " + device_and_reason(ranks_[0]) +
                                      " and rank " + std::to_string(rank) + " (" + ranks_[rank].host + ") " +
                                      device_and_reason(ranks_[rank]) +
                                      ": write device: cpu, or give every rank a GPU");
  }
}

void TrainJob::require_same(const std::string& digest, const std::string& what) {
  const auto digests = communicator_->all_gather(digest, "compare " + what);
  for (std::size_t rank = 1; rank < digests.size(); ++rank) {
    if (digests[rank] == digests[0]) continue;
    throw Error(ExitCode::config, "ranks 0 (" + ranks_[0].host + ") and " + std::to_string(rank) + " (" +
                                      ranks_[rank].host + ") read different " + what +
                                      "; is the file the same on both hosts?");
  }
}

void TrainJob::agree_on_start() {
  std::string decided;
  communicator_->together("look at the output folder", [&] {
    if (!first_rank()) return;
    require_writable_folder(config_.output_dir);
    lock_ = std::make_shared<RunLock>(config_.output_dir);  // what is decided next must stay true
    decided = to_json(plan_run_start(config_)).dump();
  });
  start_ = run_start_from_json(Json::parse(communicator_->all_gather(decided, "share how the run starts").front()));
  for (const std::string& note : start_.notes) say("note: " + note);
}

// Measured only where it decides.
void TrainJob::time_dtypes() {
  if (config_.model.dtype != "auto" || !start_.dtype.empty() || !device_.is_cpu()) return;
  bfloat16_gain_ = communicator_ ? bfloat16_gain(hardware_, *communicator_) : bfloat16_gain(hardware_);
}

void TrainJob::load_inputs() {
  const auto work = [&] {
    inputs_ = load_model_inputs(model_source(config_.model), config_.tokenizer, config_.data.chat_template);
    data_ = load_training_data(config_.data, *inputs_);
    prompt_sets_ = load_prompt_sets(config_);
    const ProbeNeeds probes = check_monitors(config_, registry_, *inputs_, prompt_sets_, call_.session.size());
    dtype_ = dtype_choice();
    plan_ = make_run_plan(config_, inputs_->config, dtype_.dtype, *data_, call_.session.size(), probes);
    if (!config_.model.folder.empty() && start_.checkpoint.empty())
      require_weights(config_.model.folder, inputs_->config);
  };
  if (communicator_) {
    communicator_->together("read tokenizer and data", work);
    // Every rank measures its share of the prompts, and what is recorded is their mean.
    for (const auto& [name, set] : prompt_sets_) require_same(digest_of(set), "prompts as prompt_sets." + name);
  } else {
    work();
  }
}

// A resumed run computes as it did before: the checkpoint, and not the machine, says how.
DtypeChoice TrainJob::dtype_choice() const {
  const std::string& wanted = config_.model.dtype;
  if (start_.dtype.empty()) return choose_dtype(wanted, device_, inputs_->config, gpus_, bfloat16_gain_);
  if (wanted != "auto" && wanted != start_.dtype) {
    throw Error(ExitCode::config, "model.dtype is " + wanted + ", but " + start_.checkpoint + " was trained in " +
                                      start_.dtype + ": take model.dtype out to go on as before");
  }
  DtypeChoice choice = choose_dtype(start_.dtype, device_, inputs_->config, gpus_, bfloat16_gain_);
  choice.reason = "as the checkpoint";
  return choice;
}

void TrainJob::load_model() {
  communicator_->together("load the model", [&] {
    // A checkpoint brings all weights.
    model_ = start_.checkpoint.empty() ? load_or_initialize(config_.model, inputs_->config, dtype_.dtype, device_)
                                       : std::make_unique<Decoder>(inputs_->config, dtype_.dtype, device_);
  });
}

void TrainJob::open_run() {
  say(startup_table(table_inputs(ranks_)));
  communicator_->together("prepare the run's folder", [&] {
    if (!first_rank()) return;
    prepare_run_folder(paths_, start_, config_.text);
    status_ = std::make_shared<RunStatus>(paths_.status, start_.run_id, plan_.steps);
    status_->write("starting", start_.step);
  });
  note_failures();
  communicator_->together("open the record", [&] {
    if (!first_rank()) return;
    recorder_ = std::make_unique<Recorder>(open_recorder(paths_, start_, make_provenance(config_, run_facts())));
  });
}

// The note outlives this job, and keeps the folder locked until it is written.
void TrainJob::note_failures() {
  if (first_rank()) {
    call_.failures.note_cause_with([status = status_, lock = lock_](const std::string& message) {
      status->write("failed", status->step(), message);
    });
  } else {
    call_.failures.note_cause_with([path = paths_.status](const std::string& message) { note_failure(path, message); });
  }
}

int TrainJob::train_and_report() {
  const OptimizationSettings& settings = config_.optimization;
  const Loader loader(std::move(data_->samples), std::move(data_->weights),
                      {.rows_per_micro_batch = settings.per_device_train_batch_size,
                       .accumulation_steps = settings.gradient_accumulation_steps,
                       .rank = call_.session.rank(),
                       .world_size = call_.session.size(),
                       .seed = config_.seed,
                       .padding_token = inputs_->end_of_sequence});
  std::unique_ptr<ProgressDisplay> display;
  if (first_rank()) display = std::make_unique<ProgressDisplay>(*status_);
  std::unique_ptr<RunObserver> observer;
  communicator_->together("set up the monitors", [&] {
    observer = make_observer(config_, registry_, *inputs_, std::move(prompt_sets_), *communicator_, recorder_.get(),
                             [&](const std::string& line) { display->on_message(line); });
  });
  const TrainingResult result =
      train(*model_, loader, training_options(), *communicator_, observer.get(), display.get(), StopSignals::requested);
  communicator_->together("close the run", [&] {
    if (!first_rank()) return;
    display->finish();
    recorder_->close();
    status_->write(result.reason == StopReason::finished ? "finished" : "preempted", result.last.step);
  });
  if (first_rank())
    std::cout << run_ending({config_, paths_, call_.argv, plan_.steps, call_.session.size()}, result,
                            observer->seconds());
  return static_cast<int>(result.reason == StopReason::finished ? ExitCode::ok : ExitCode::preempted);
}

TrainingOptions TrainJob::training_options() const {
  const OptimizationSettings& settings = config_.optimization;
  return {.output_dir = config_.output_dir,
          .max_steps = plan_.steps,
          .schedule = make_schedule(config_, plan_),
          .optimizer = {.beta1 = settings.adam_beta1,
                        .beta2 = settings.adam_beta2,
                        .epsilon = settings.adam_epsilon,
                        .weight_decay = settings.weight_decay},
          .max_grad_norm = settings.max_grad_norm,
          .save_steps = config_.save_steps,
          .save_total_limit = config_.save_total_limit,
          .logging_steps = config_.logging_steps,
          .trainable = settings.trainable,
          .model_files = inputs_->files,
          .resume_from_checkpoint = start_.checkpoint,
          .checkpoint_verified = start_.verified,
          .stored_parameter = stored_parameters(config_.model, inputs_->config, start_),
          .run_id = start_.run_id,
          .about_to_resume =
              [this] {
                if (start_.replaces_old_run) remove_old_run(paths_);
              },
          .resumed =
              [this] {
                recorder_->cut_back();
                take_log_along(paths_, start_);
                write_file_atomically(paths_.config, config_.text);
              }};
}

RunFacts TrainJob::run_facts() const {
  RunFacts facts;
  facts.run_id = start_.run_id;
  facts.argv = call_.argv;
  for (const RankFacts& rank : ranks_) {
    facts.hosts.push_back(rank.host);
    facts.devices.push_back(rank.device);
  }
  facts.dtype = dtype_name(dtype_.dtype);
  facts.threads = call_.session.threads();
  facts.parameters = plan_.parameters;
  facts.trainable_parameters = plan_.trainable_parameters;
  facts.steps = plan_.steps;
  facts.base_weights = weights_digest(model_->parameters());
  facts.training_samples = digest_of(data_->samples, data_->weights);
  for (const auto& [name, set] : prompt_sets_) facts.prompt_sets[name] = digest_of(set);
  facts.processor = hardware_.processor;
  for (const Gpu& gpu : gpus_.gpus) facts.gpus.push_back(gpu.name);
  facts.cuda = cuda_versions(gpus_);
  return facts;
}

TableInputs TrainJob::table_inputs(std::vector<RankFacts> ranks) const {
  const std::string reason = dtype_.reason.empty() ? "" : " (" + dtype_.reason + ")";
  return {.config = config_,
          .model = *inputs_,
          .data = *data_,
          .plan = plan_,
          .hardware = hardware_,
          .ranks = std::move(ranks),
          .transport = transport_,
          .dtype = dtype_name(dtype_.dtype) + reason,
          .start = communicator_ ? &start_ : nullptr};
}

void TrainJob::say(const std::string& text) const {
  if (first_rank()) std::cerr << text + (text.ends_with('\n') ? "" : "\n") << std::flush;
}

}  // namespace rim
