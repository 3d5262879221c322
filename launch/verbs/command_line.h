// From argv to a verb's call, and from an error to the exit code.
#pragma once

#include <string>
#include <vector>

#include "trainer/parallel/communicator.h"

namespace rim {

// COLLECTIVE. Runs what the command line says and returns the exit code. Errors are shown on stderr as
// "rimscope: error: ...", once for all ranks where all have them, and end every rank (see ending.h).
// `arguments`: argv, the program's name included.
int run_command_line(const std::vector<std::string>& arguments, const MpiSession& session);

}  // namespace rim
