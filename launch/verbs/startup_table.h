// What a run says about itself before it starts, and all that --dry-run says.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "launch/config/run_config.h"
#include "launch/verbs/hardware.h"
#include "launch/verbs/model_inputs.h"
#include "launch/verbs/rank_facts.h"
#include "launch/verbs/run_plan.h"
#include "launch/verbs/run_start.h"
#include "launch/verbs/training_data.h"

namespace rim {

struct TableInputs {
  const RunConfig& config;
  const ModelInputs& model;
  const TrainingData& data;
  const RunPlan& plan;
  const Hardware& hardware;
  std::vector<RankFacts> ranks;
  std::string transport;            // as in Connection
  std::string dtype;                // with the reason where the machine chose it
  const RunStart* start = nullptr;  // null for a dry run
};

// Lines "label       text", and warnings where an estimate is above what is free.
// What the ranks need beside what there is on this host, or on the GPU that is the tightest.
std::string memory_text(double bytes_per_rank, const std::vector<RankFacts>& ranks, double free_on_this_host);
// A warning below a row where `what` has more tokens than the model has positions; else nothing.
std::string length_warning(const std::string& what, std::int64_t tokens, std::int64_t positions);
std::string devices_text(const std::vector<RankFacts>& ranks);
std::string startup_table(const TableInputs& inputs);

}  // namespace rim
