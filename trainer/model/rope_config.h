// The rotary embedding's part of config.json.
#pragma once

#include <optional>
#include <string>

#include "trainer/model/model_config.h"

namespace rim {

struct RopeConfig {
  double theta = 10000.0;
  std::optional<LlamaRopeScaling> scaling;
};

// Reads rope_parameters (transformers 5), or rope_theta and rope_scaling (transformers 4, where present they win as
// they do there). Throws Error(bad_data) naming any scaling type, partial rotation or key that is not supported.
RopeConfig read_rope_config(const Json& config, std::int64_t max_position_embeddings, const std::string& origin);

}  // namespace rim
