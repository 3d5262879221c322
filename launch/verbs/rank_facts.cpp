#include "launch/verbs/rank_facts.h"

#include <c10/util/StringUtil.h>

#include "data/support/host.h"

namespace rim {

RankFacts facts_of_this_rank(const DeviceChoice& choice, const GpuSurvey& survey, int threads) {
  RankFacts facts;
  facts.host = host_name();
  facts.device = c10::str(choice.device);
  facts.threads = threads;
  facts.gpu_note = choice.gpu_note;
  if (choice.device.is_cuda()) {
    const Gpu& gpu = survey.gpus.at(static_cast<std::size_t>(choice.device.index()));
    facts.gpu_identity = gpu.uuid.empty() ? gpu.pci_address : gpu.uuid;
    facts.gpu_memory_bytes = gpu.memory_bytes;
  }
  return facts;
}

std::string device_and_reason(const RankFacts& facts) {
  return facts.device + (facts.gpu_note.empty() ? "" : " (no GPU is used: " + facts.gpu_note + ")");
}

Json to_json(const RankFacts& facts) {
  return {{"host", facts.host},
          {"device", facts.device},
          {"threads", facts.threads},
          {"gpu_note", facts.gpu_note},
          {"gpu_identity", facts.gpu_identity},
          {"gpu_memory", facts.gpu_memory_bytes}};
}

RankFacts rank_facts_from_json(const Json& json) {
  return {.host = json.at("host"),
          .device = json.at("device"),
          .threads = json.at("threads"),
          .gpu_note = json.at("gpu_note"),
          .gpu_identity = json.at("gpu_identity"),
          .gpu_memory_bytes = json.at("gpu_memory")};
}

}  // namespace rim
