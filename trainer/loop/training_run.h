// The loop's dealings with the world: where it starts, what it writes, whom it tells. Internal to trainer/loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "trainer/loop/step_log.h"
#include "trainer/loop/training_loop.h"

namespace rim {

class TrainingRun {
 public:
  TrainingRun(Decoder& model, const Loader& loader, const TrainingOptions& options, Communicator& communicator,
              Observer* observer, ProgressSink* progress);

  // COLLECTIVE. Fresh: refuses a folder with another run's checkpoints. Resumed: restores model, optimizer, observer,
  // counters and log; refuses a checkpoint whose steps stand for other samples or which is beyond max_steps.
  void begin(AdamW& optimizer);
  // Records a finished step. Local: what fails in writing the log or showing it is
  // reported by agree_on_stopping().
  void advance(double loss, double learning_rate, double grad_norm, std::int64_t tokens, double seconds);
  // COLLECTIVE. True where any rank wants to stop. Throws rank 0's Error(input_output) on every rank.
  bool agree_on_stopping(bool wanted_here);
  // True after every save_steps-th step and the last: these are saved and observed. Step 0 is observed only.
  [[nodiscard]] bool checkpoint_due() const;
  [[nodiscard]] bool observation_due() const { return record_.step == 0 || checkpoint_due(); }
  // COLLECTIVE.
  void save(const AdamW& optimizer);
  void observe();

  [[nodiscard]] std::int64_t step() const { return record_.step; }
  [[nodiscard]] bool finished() const { return record_.step >= options_.max_steps; }
  [[nodiscard]] TrainingResult result(StopReason reason) const { return {reason, record_, last_checkpoint_}; }

 private:
  void start_fresh(AdamW& optimizer);
  // `verified`: rank 0 has compared the files with their digests.
  void resume(const std::filesystem::path& checkpoint, bool verified, AdamW& optimizer);
  void require_equal_starts();
  void show_step(bool logged);
  void prune();
  void write_checkpoint(const AdamW& optimizer, const TensorMap& observer_state);
  void tell(const std::string& line);
  [[nodiscard]] bool first_rank() const { return communicator_.rank() == 0; }

  Decoder& model_;
  const Loader& loader_;
  const TrainingOptions& options_;
  Communicator& communicator_;
  Observer* observer_;
  ProgressSink* progress_;
  std::unique_ptr<StepLog> log_;       // rank 0 only
  std::optional<Error> failure_here_;  // of a step's log line or its display
  std::string run_id_;
  LoaderIdentity data_;  // set by begin()
  StepRecord record_;
  std::filesystem::path last_checkpoint_;
};

}  // namespace rim
