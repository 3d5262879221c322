// A short text by which ranks notice that they hold different weights.
#pragma once

#include <string>
#include <vector>

#include "trainer/model/named_parameter.h"

namespace rim {

// SHA-256 over one sum per parameter: of its elements' bits as integers, which is the same in every order of summation
// and so for every number of threads (and on GPUs), unlike a floating-point sum. Elements that change places are not
// noticed. Waits for the parameters' device.
std::string weights_digest(const std::vector<NamedParameter>& parameters);

}  // namespace rim
