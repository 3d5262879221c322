// One call of `rimscope train`, from a checked configuration to the last line. Constructed and run on every rank alike.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "launch/config/run_config.h"
#include "launch/verbs/compute_choice.h"
#include "launch/verbs/model_inputs.h"
#include "launch/verbs/monitoring.h"
#include "launch/verbs/run_lock.h"
#include "launch/verbs/run_plan.h"
#include "launch/verbs/run_start.h"
#include "launch/verbs/run_status.h"
#include "launch/verbs/startup_table.h"
#include "launch/verbs/training_data.h"
#include "launch/verbs/verb.h"
#include "trainer/loop/training_loop.h"

namespace rim {

class TrainJob {
 public:
  TrainJob(const Invocation& call, RunConfig config, MonitorRegistry registry);
  ~TrainJob();

  // COLLECTIVE. Trains; returns the exit code: ok or preempted.
  int run();
  // COLLECTIVE. Prints the start-up table to stdout. Reads the data and of the weights their headers, writes nothing.
  int dry_run();

 private:
  [[nodiscard]] bool first_rank() const { return call_.session.rank() == 0; }
  void connect();
  // COLLECTIVE. Throws Error(config) naming two ranks whose digests of `what` differ.
  void require_same(const std::string& digest, const std::string& what);
  void agree_on_start();
  void time_dtypes();
  void load_inputs();
  void load_model();
  void open_run();
  // Has the cause of a failure from now on written to status.json.
  void note_failures();
  int train_and_report();
  // COLLECTIVE. True where any rank was asked to stop.
  bool stop_requested();
  int stop_before_training();

  [[nodiscard]] DtypeChoice dtype_choice() const;
  [[nodiscard]] TableInputs table_inputs(std::vector<RankFacts> ranks) const;
  [[nodiscard]] TrainingOptions training_options() const;
  [[nodiscard]] RunFacts run_facts() const;
  void say(const std::string& text) const;

  const Invocation& call_;
  RunConfig config_;
  MonitorRegistry registry_;
  RunPaths paths_;
  GpuSurvey gpus_;
  Hardware hardware_;
  at::Device device_{at::kCPU};
  std::string transport_;
  std::unique_ptr<Communicator> communicator_;
  std::vector<RankFacts> ranks_;
  std::shared_ptr<RunLock> lock_;  // rank 0 only, from before the start is decided to the end
  RunStart start_;
  std::optional<ModelInputs> inputs_;
  std::optional<TrainingData> data_;
  std::map<std::string, PromptSet> prompt_sets_;
  double bfloat16_gain_ = 0;  // of the CPUs, where auto has to choose
  DtypeChoice dtype_;
  RunPlan plan_;
  std::unique_ptr<Decoder> model_;
  std::unique_ptr<Recorder> recorder_;  // rank 0 only
  std::shared_ptr<RunStatus> status_;   // rank 0 only
};

}  // namespace rim
