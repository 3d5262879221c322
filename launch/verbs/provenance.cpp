#include "launch/verbs/provenance.h"

#include "data/support/text.h"
#include "launch/verbs/version.h"

namespace rim {
namespace {

std::string quoted(const std::string& word) {
  constexpr const char* kSafe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  if (!word.empty() && word.find_first_not_of(kSafe) == std::string::npos) return word;
  std::string text = "'";
  for (const char character : word) text += character == '\'' ? std::string("'\\''") : std::string(1, character);
  return text + "'";
}

}  // namespace

std::string shell_quoted(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + quoted(word);
  return text;
}

Provenance make_provenance(const RunConfig& config, const RunFacts& facts) {
  Provenance provenance;
  provenance.run_id = facts.run_id;
  provenance.config = config.text;
  provenance.facts = {{"rimscope_version", rimscope_version()},
                      {"git_commit", git_commit()},
                      {"git_dirty", git_dirty()},
                      {"libtorch_version", libtorch_version()},
                      {"hdf5_version", hdf5_version()},
                      {"mpi_version", mpi_version()},
                      {"argv", shell_quoted(facts.argv)},
                      {"world_size", std::to_string(facts.hosts.size())},
                      {"hosts", join(facts.hosts, ", ")},
                      {"devices", join(facts.devices, ", ")},
                      {"threads_per_rank", std::to_string(facts.threads)},
                      {"dtype", facts.dtype},
                      {"parameters", std::to_string(facts.parameters)},
                      {"trainable_parameters", std::to_string(facts.trainable_parameters)},
                      {"max_steps", std::to_string(facts.steps)},
                      {"seed", std::to_string(config.seed)}};
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) provenance.facts[name] = value;
  };
  add("base_weights_digest", facts.base_weights);
  add("training_samples_sha256", facts.training_samples);
  std::string digests;  // one fact: a set's name may hold what a fact's may not
  for (const auto& [name, digest] : facts.prompt_sets) digests += (digests.empty() ? "" : ", ") + name + " " + digest;
  add("prompt_sets_sha256", digests);
  add("processor", facts.processor);
  add("gpus", join(facts.gpus, ", "));
  add("cuda_driver_version", facts.cuda.driver);
  add("cuda_runtime_version", facts.cuda.runtime);
  add("nccl_version", facts.cuda.nccl);
  if (config.model.folder.empty()) provenance.facts["model_seed"] = std::to_string(config.model.seed);
  return provenance;
}

}  // namespace rim
