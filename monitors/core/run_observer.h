// All monitors of a run as the one Observer the trainer sees.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "monitors/core/monitor.h"
#include "monitors/core/probe_runner.h"
#include "monitors/recorder/recorder.h"
#include "trainer/loop/observer.h"

namespace rim {

class RunObserver : public Observer {
 public:
  // `recorder` is null on every rank but 0. `announce` shows a headline to the user (rank 0; may be empty).
  RunObserver(std::vector<std::unique_ptr<Monitor>> monitors, std::map<std::string, PromptSet> prompt_sets,
              ProbeRunner runner, Communicator& communicator, Recorder* recorder,
              std::function<void(const std::string&)> announce);
  // COLLECTIVE. A step that the recorder has committed already (after a resume) is skipped. A failure on any rank,
  // recording included, is thrown on all.
  void at_checkpoint(const Decoder& model, std::int64_t step, std::int64_t tokens) override;
  // The monitors' memories of the base, and digests of the prompts that were measured.
  [[nodiscard]] TensorMap state() const override;
  // Throws Error(config) where a prompt set has other prompts than when the run began, and as the monitors do.
  void load_state(const TensorMap& state) override;
  [[nodiscard]] double seconds() const { return seconds_; }  // spent observing

 private:
  [[nodiscard]] bool committed_already(std::int64_t step);
  [[nodiscard]] ProbePlan declared();
  void observe(const Decoder& model, std::int64_t step, std::vector<std::string>& headlines);

  std::vector<std::unique_ptr<Monitor>> monitors_;
  ProbePlan base_plan_;  // the prompt sets; each observation declares on a copy
  ProbeRunner runner_;
  Communicator& communicator_;
  Recorder* recorder_;
  std::function<void(const std::string&)> announce_;
  double seconds_ = 0;
};

}  // namespace rim
