// Rules that tie several keys together. No key may be given that would then do nothing.
#pragma once

#include "launch/config/config_node.h"
#include "launch/config/problems.h"

namespace rim {

void check_consistency(const ConfigNode& root, Problems& problems);

}  // namespace rim
