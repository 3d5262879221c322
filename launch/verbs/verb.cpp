#include "launch/verbs/verb.h"

#include "data/support/error.h"

namespace rim {

std::int64_t Invocation::whole_number(const std::string& name, std::int64_t lowest) const {
  const auto value = get<std::int64_t>(name);
  if (value >= lowest) return value;
  throw Error(ExitCode::usage,
              "--" + name + " must be at least " + std::to_string(lowest) + ", but is " + std::to_string(value));
}

}  // namespace rim
