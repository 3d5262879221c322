// What `--help` prints, for the program and for each verb, from the verbs' own tables.
#pragma once

#include <string>
#include <vector>

#include "launch/verbs/verb.h"

namespace rim {

std::string program_help(const std::vector<Verb>& verbs);
std::string verb_help(const Verb& verb);

}  // namespace rim
