// What each rank tells the others about itself at the start.
#pragma once

#include <cstdint>
#include <string>

#include "data/support/json.h"
#include "launch/verbs/compute_choice.h"

namespace rim {

struct RankFacts {
  std::string host;
  std::string device;  // "cpu", "cuda:0"
  int threads = 1;
  std::string gpu_note;               // why GPUs that are here stay unused; empty where none is or they are used
  std::string gpu_identity;           // tells the GPU, or the slice of one, that it uses from others on its host
  std::int64_t gpu_memory_bytes = 0;  // of that GPU
};

RankFacts facts_of_this_rank(const DeviceChoice& choice, const GpuSurvey& survey, int threads);

// "cpu", or "cpu (no GPU is used: <note>)".
std::string device_and_reason(const RankFacts& facts);

Json to_json(const RankFacts& facts);
RankFacts rank_facts_from_json(const Json& json);

}  // namespace rim
