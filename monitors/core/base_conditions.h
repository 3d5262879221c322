// What a run's numbers are measured on, kept in checkpoints beside what monitors remember of the base model. A resumed
// run that measured something else would be compared with that base, and nothing would show it.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "trainer/model/safetensors.h"

namespace rim {

// By name, as the user knows it: {"region", "last_prompt"}.
using BaseConditions = std::map<std::string, std::string>;

// uint8 [bytes], for Monitor::state().
at::Tensor pack_conditions(const BaseConditions& conditions);
// Throws Error(config) naming what differs and both values; names that only one of the two has are not compared.
// Error(bad_data) for a tensor that holds no conditions.
void require_same_conditions(const at::Tensor& packed, const BaseConditions& now);
// For a monitor that remembers the base model: Error(config) where the checkpoint has nothing of it.
void require_known(const TensorMap& state, const std::string& monitor);

}  // namespace rim
