// Which parameters a run trains.
#pragma once

#include <string>
#include <vector>

#include "trainer/model/decoder.h"

namespace rim {

// The parameters whose name matches one of the glob patterns (* ? [...], `*` also crosses dots; no pattern: all), in
// the model's order. They get requires_grad = true, all others false. Throws Error(config) for a pattern that matches
// nothing.
std::vector<NamedParameter> select_trainable(const Decoder& model, const std::vector<std::string>& patterns);

}  // namespace rim
