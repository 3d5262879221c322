// A run's headline, from run.h5 alone.
#pragma once

#include <filesystem>
#include <string>

namespace rim {

// Refusal, compliance and incoherence from the base model to the last observation for each thinking mode, with their
// intervals; task accuracy; the share of responses cut at the limit; RAS of the safety-critical neurons beside the
// control draws' median and middle 90% with its p; the paths. Says so where a run has not recorded something. Throws as
// RunReader does, and Error(bad_data) where nothing is recorded.
std::string run_summary(const std::filesystem::path& run_folder);

}  // namespace rim
