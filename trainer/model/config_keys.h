// Which keys a config.json may hold, so that none that changes the computation is passed over in silence.
#pragma once

#include <string>

#include "data/support/json.h"

namespace rim {

// Throws Error(bad_data) naming every key of `config` (a `model_type` family's config.json, read from `origin`) that
// asks for a computation the decoder does not do: a known key with an unsupported value, or a key nobody here knows.
// Keys the decoder reads, and keys that only matter for other tasks (sampling defaults, labels), pass.
void refuse_unsupported_keys(const Json& config, const std::string& model_type, const std::string& origin);

}  // namespace rim
