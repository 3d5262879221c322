// A step number says how far a run has come through its data, but only for the same data in the same order and the same
// batch: this is what a checkpoint keeps of them. Internal to trainer/loop.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "data/examples/loader.h"
#include "data/support/json.h"

namespace rim {

Json to_json(const LoaderIdentity& identity);

// `saved`: what to_json() gave when the checkpoint `origin` was written; `options`: of the loader that `now`
// identifies. Throws Error(config) naming what differs and how to go on; Error(bad_data) where `saved` is no such
// record.
void require_same_data(const Json& saved, const LoaderIdentity& now, const LoaderOptions& options,
                       const std::string& origin);

// Throws as require_same_data, and Error(config) where the checkpoint is beyond `max_steps`. Reads its trainer state
// only.
void require_continuation(const std::filesystem::path& checkpoint, const LoaderIdentity& now,
                          const LoaderOptions& options, std::int64_t max_steps);

}  // namespace rim
