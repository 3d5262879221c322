// What a machine has of all that RIMscope can use.
#pragma once

#include <string>
#include <vector>

#include "data/support/error.h"
#include "trainer/parallel/communicator.h"

namespace rim {

struct Finding {
  enum class State { present, absent, missing };  // absent: works without it; missing: nothing works
  State state = State::present;
  std::string what;
  std::string detail;
  std::string remedy;  // where it is not present
};

std::vector<Finding> examine_machine(const MpiSession& session);
std::string findings_text(const std::vector<Finding>& findings);
bool something_required_is_missing(const std::vector<Finding>& findings);

}  // namespace rim
