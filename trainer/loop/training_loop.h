// Data-parallel fine-tuning: the loop and the options it runs by.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/examples/loader.h"
#include "data/support/json.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/loop/observer.h"
#include "trainer/loop/optimizer.h"
#include "trainer/loop/schedule.h"
#include "trainer/model/decoder.h"
#include "trainer/parallel/communicator.h"

namespace rim {

struct TrainingOptions {
  std::filesystem::path output_dir;
  std::int64_t max_steps = 1;
  Schedule schedule;
  AdamWOptions optimizer;
  double max_grad_norm = 1.0;                    // 0: no clipping
  std::int64_t save_steps = 0;                   // 0: only at the end
  std::optional<std::int64_t> save_total_limit;  // absent: keep all
  std::int64_t logging_steps = 1;
  std::vector<std::string> trainable;  // glob patterns over parameter names; empty: all
  std::vector<ModelFile> model_files;  // copied into each checkpoint
  std::string resume_from_checkpoint;  // "": fresh run, "auto", or a folder
  bool checkpoint_verified = false;    // rank 0 has compared that folder with its digests already
  // Reads a parameter as its file stores it, for bf16 models' master weights; empty: they start from the model's own.
  std::function<at::Tensor(const std::string& name)> stored_parameter;
  std::string run_id;                            // kept over resumes
  std::int64_t bucket_bytes = 25 * 1024 * 1024;  // of gradients that are reduced together
  // Called on rank 0 once all ranks have loaded the checkpoint, before anything in output_dir changes. May throw Error.
  std::function<void()> about_to_resume;
  // Called on rank 0 once the checkpoint is loaded and later ones are set aside: now is the time to drop what else the
  // run kept of later steps. May throw Error.
  std::function<void()> resumed;
};

// One line of log.jsonl and of the progress display.
struct StepRecord {
  std::int64_t step = 0;  // 1 after the first optimizer step
  double loss = 0;        // mean over the trained tokens of all ranks and micro-batches
  double learning_rate = 0;
  double grad_norm = 0;          // before clipping
  std::int64_t tokens = 0;       // since the start of the run, padding not counted
  double seconds = 0;            // spent training since the start of the run, earlier sittings included
  double tokens_per_second = 0;  // of this step
};

// Shows progress to the user. Called on rank 0 only.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  // After every step. `logged`: it is one of those in log.jsonl, every logging_steps-th and the last.
  virtual void on_step(const StepRecord& record, std::int64_t total_steps, bool logged) = 0;
  virtual void on_message(const std::string& line) = 0;
};

enum class StopReason { finished, preempted };

struct TrainingResult {
  StopReason reason = StopReason::finished;
  StepRecord last;
  std::filesystem::path last_checkpoint;
};

// COLLECTIVE. Trains `model` (already holding the base weights) and writes <output_dir>/log.jsonl and
// <output_dir>/checkpoints/step-NNNNNN. At a checkpoint the state is saved first, then observed; none is written at
// step 0. `stop_requested` is polled on every rank before and after the first observation and after each step, and
// agreed on. Then a checkpoint is written (none where no step was made in this sitting) and the result says preempted;
// where an observation was due, the resumed run begins with it. Throws, on all ranks: Error(software) when the loss or
// the gradient norm is not finite, before the weights change, and when a weight is not finite, before a checkpoint is
// written; Error(config) where a fresh run meets another run's checkpoints (see run_folder.h), and where a checkpoint
// was trained with another global batch, seed, data or `trainable`, so that its steps would not mean the same;
// Error(bad_data) where ranks start from different weights or samples; Error(input_output) where something cannot be
// written; and what else resuming throws.
TrainingResult train(Decoder& model, const Loader& loader, const TrainingOptions& options, Communicator& communicator,
                     Observer* observer, ProgressSink* progress, const std::function<bool()>& stop_requested);

}  // namespace rim
