#include "launch/verbs/compute_choice.h"

#include <limits>
#include <map>

#include "data/support/error.h"
#include "data/support/host.h"
#include "data/support/json.h"
#include "launch/verbs/product_speed.h"
#include "launch/verbs/terminal.h"

namespace rim {
namespace {

constexpr std::int64_t kNarrowestForCpuBfloat16 = 128;
constexpr double kGainThatPays = 1.1;  // known processors give 0.6 or 1.5 and more: nothing near it but noise
constexpr int kFirstBfloat16Capability = 8;

RankGpu gpu_of_this_rank(at::Device device, const GpuSurvey& survey) {
  if (!device.is_cuda()) return {.uuid = "", .place = "", .problem = "it computes on the CPU"};
  const Gpu& gpu = survey.gpus.at(static_cast<std::size_t>(device.index()));
  return {.uuid = gpu.uuid, .place = host_name() + " " + gpu.pci_address, .problem = nccl_problem()};
}

std::vector<RankGpu> gather_gpus(Communicator& host, const RankGpu& mine) {
  const Json text{mine.uuid, mine.place, mine.problem};
  std::vector<RankGpu> ranks;
  for (const std::string& told : host.all_gather(text.dump(), "choose NCCL or MPI")) {
    const Json rank = Json::parse(told);
    ranks.push_back({.uuid = rank.at(0), .place = rank.at(1), .problem = rank.at(2)});
  }
  return ranks;
}

// Without instructions bfloat16 takes for ever: the gain is 0, and that of all ranks where one has none.
ProductTimes times_here(const Hardware& hardware) {
  return hardware.bfloat16_instructions ? time_products() : ProductTimes{0, std::numeric_limits<double>::infinity()};
}

}  // namespace

DeviceChoice choose_device(const std::string& wanted, int local_rank, const GpuSurvey& survey) {
  if (wanted == "cpu") return {};
  if (wanted != "auto" && wanted != "cuda") {
    throw Error(ExitCode::usage, "device: '" + wanted + "' is none of auto, cpu, cuda");
  }
  const std::string problem = survey.problem.empty() ? load_cuda_support() : survey.problem;
  if (problem.empty()) {
    const int count = static_cast<int>(survey.gpus.size());
    return {.device = {at::kCUDA, static_cast<at::DeviceIndex>(local_rank % count)}, .gpu_note = ""};
  }
  if (wanted == "cuda") throw Error(ExitCode::config, "device: cuda: " + problem);
  const bool expected_none = survey.gpus.empty() && survey.driver_version == 0;
  return {.device = at::kCPU, .gpu_note = expected_none ? "" : problem};
}

double bfloat16_gain(const Hardware& hardware) {
  const ProductTimes times = times_here(hardware);
  return times.float32 / times.bfloat16;
}

double bfloat16_gain(const Hardware& hardware, Communicator& communicator) {
  const ProductTimes times = times_here(hardware);
  const double float32 = communicator.sum(times.float32, "time products in float32");
  return float32 / communicator.sum(times.bfloat16, "time products in bfloat16");
}

DtypeChoice choose_dtype(const std::string& wanted, at::Device device, const ModelConfig& model,
                         const GpuSurvey& survey, double bfloat16_gain) {
  if (wanted == "float32") return {at::kFloat, ""};
  if (wanted == "bfloat16") return {at::kBFloat16, ""};
  if (device.is_cuda()) {
    const Gpu& gpu = survey.gpus.at(static_cast<std::size_t>(device.index()));
    if (gpu.compute_major >= kFirstBfloat16Capability) return {at::kBFloat16, "auto: the GPU has it"};
    return {at::kFloat, "auto: the GPU has no bfloat16"};
  }
  if (bfloat16_gain <= 0) return {at::kFloat, "auto: no bfloat16 instructions on the CPUs"};
  if (model.hidden_size < kNarrowestForCpuBfloat16) return {at::kFloat, "auto: faster at this width"};
  const std::string measured =
      "auto: a product in bfloat16 takes " + short_number(1 / bfloat16_gain, 2) + " of float32's time here";
  return {bfloat16_gain >= kGainThatPays ? at::kBFloat16 : at::kFloat, measured};
}

std::string obstacle_to_nccl(const std::vector<RankGpu>& ranks) {
  std::map<std::string, std::size_t> seen;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const std::string name = "rank " + std::to_string(rank);
    if (!ranks[rank].problem.empty()) return name + ": " + ranks[rank].problem;
    for (const std::string& identity : {ranks[rank].uuid, ranks[rank].place}) {
      if (identity.empty()) continue;
      const auto [entry, fresh] = seen.emplace(identity, rank);
      if (!fresh && entry->second != rank)
        return "rank " + std::to_string(entry->second) + " and " + name + " share a GPU";
    }
  }
  return "";
}

Connection connect_ranks(at::Device device, std::chrono::seconds timeout, const GpuSurvey& survey) {
  const CommunicatorOptions options{.timeout = timeout};
  auto host = make_mpi_communicator(options);
  if (host->size() == 1) return {std::move(host), "MPI"};
  const std::string obstacle = obstacle_to_nccl(gather_gpus(*host, gpu_of_this_rank(device, survey)));
  if (obstacle.empty()) return {make_nccl_communicator(std::move(host), device.index(), options), "NCCL"};
  return {std::move(host), device.is_cuda() ? "MPI, not NCCL (" + obstacle + ")" : "MPI"};
}

std::string dtype_name(at::ScalarType dtype) { return dtype == at::kBFloat16 ? "bfloat16" : "float32"; }

}  // namespace rim
