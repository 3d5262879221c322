#include "monitors/core/probe.h"

#include <algorithm>
#include <array>
#include <utility>

#include "data/support/error.h"

namespace rim {
namespace {

constexpr std::array<std::pair<const char*, TokenRegion>, 4> kRegions{{{"prompt", TokenRegion::prompt},
                                                                       {"last_prompt", TokenRegion::last_prompt},
                                                                       {"response", TokenRegion::response},
                                                                       {"all", TokenRegion::all}}};

bool same_prompts(const PromptSet& one, const PromptSet& other) { return one.prompts == other.prompts; }

void require_responses(const PromptSet& set) {
  const auto without = [](const Prompt& prompt) { return prompt.response.empty(); };
  const auto found = std::ranges::find_if(set.prompts, without);
  if (found == set.prompts.end()) return;
  throw Error(ExitCode::config, "the token region 'response' needs a reference response: prompt '" + found->id +
                                    "' of prompt set '" + set.name + "' has none");
}

template <typename Request>
std::size_t handle_of(std::vector<Request>& requests, Request request) {
  const auto found = std::ranges::find(requests, request);
  const auto handle = static_cast<std::size_t>(found - requests.begin());
  if (found == requests.end()) requests.push_back(std::move(request));
  return handle;
}

}  // namespace

TokenRegion parse_token_region(const std::string& name) {
  for (const auto& [known, region] : kRegions) {
    if (name == known) return region;
  }
  std::string known;
  for (const std::string& region : token_region_names()) known += (known.empty() ? "" : ", ") + region;
  throw Error(ExitCode::config, "'" + name + "' is no token region: there are " + known);
}

std::vector<std::string> token_region_names() {
  std::vector<std::string> names;
  for (const auto& [name, region] : kRegions) names.emplace_back(name);
  return names;
}

std::string to_string(TokenRegion region) {
  for (const auto& [name, known] : kRegions) {
    if (region == known) return name;
  }
  throw Error(ExitCode::software, "a token region without a name");
}

void ProbePlan::add_prompt_set(PromptSet set) {
  const auto found = prompt_sets_.find(set.name);
  if (found == prompt_sets_.end()) {
    const std::string name = set.name;
    prompt_sets_.emplace(name, std::move(set));
  } else if (!same_prompts(found->second, set)) {
    throw Error(ExitCode::config, "two different prompt sets are called '" + set.name + "': rename one");
  }
}

std::size_t ProbePlan::request(ActivationRequest request) {
  static_cast<void>(prompt_set(request.prompt_set));
  if (request.region == TokenRegion::response) require_responses(prompt_set(request.prompt_set));
  if (request.site == TapSite::attention_pattern) {
    throw Error(ExitCode::config, "attention patterns differ in width from prompt to prompt: no mean can be requested");
  }
  return handle_of(activations_, std::move(request));
}

std::size_t ProbePlan::request(GenerationRequest request) {
  static_cast<void>(prompt_set(request.prompt_set));
  if (request.refusal_text.empty() != request.compliance_text.empty()) {
    throw Error(ExitCode::config, "prompt set '" + request.prompt_set +
                                      "': refusal_text and compliance_text are compared with each other: give both");
  }
  return handle_of(generations_, std::move(request));
}

void ProbePlan::provide(const std::string& name, const std::string& measured) {
  if (provided_.emplace(name, measured).second) return;
  throw Error(ExitCode::config, "two monitors are called '" + name + "': give one of them another 'name'");
}

const std::string& ProbePlan::require(const std::string& name, const std::string& who) const {
  if (const auto found = provided_.find(name); found != provided_.end()) return found->second;
  throw Error(ExitCode::config, who + " needs what monitor '" + name + "' provides: list it before " + who);
}

const PromptSet& ProbePlan::prompt_set(const std::string& name) const {
  const auto found = prompt_sets_.find(name);
  if (found != prompt_sets_.end()) return found->second;
  std::string known;
  for (const auto& [other, set] : prompt_sets_) known += (known.empty() ? "" : ", ") + other;
  throw Error(ExitCode::config,
              "no prompt set is called '" + name + "': prompt_sets has " + (known.empty() ? "none" : known));
}

}  // namespace rim
