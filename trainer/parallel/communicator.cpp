#include "trainer/parallel/communicator.h"

#include <algorithm>

#include "data/support/host.h"

namespace rim {
namespace {

// "code message", empty for no error.
std::string encode(const std::optional<Error>& error) {
  if (!error) return {};
  return std::to_string(static_cast<int>(error->code())) + ' ' + error->what();
}

Error decode(const std::string& text, const std::string& where) {
  const auto space = text.find(' ');
  return {static_cast<ExitCode>(std::stoi(text.substr(0, space))), where + text.substr(space + 1)};
}

}  // namespace

bool Communicator::first_on_host(const std::string& name) {
  const std::string here = host_name();
  const std::vector<std::string> hosts = all_gather(here, name);
  return std::find(hosts.begin(), hosts.end(), here) - hosts.begin() == rank();
}

void Communicator::agree(const std::optional<Error>& error, const std::string& name) {
  if (size() == 1) {
    if (error) throw Error(*error);
    return;
  }
  std::vector<std::string> hosts, errors;
  try {
    // The usual case costs one scalar; only a failure sends text.
    if (sum(error ? 1.0 : 0.0, name) == 0.0) return;
    hosts = all_gather(host_name(), name);
    errors = all_gather(encode(error), name);
  } catch (const Error& failed) {
    // The others may be gone for the same reason; theirs is the lesser news.
    if (!error) throw;
    throw Error(error->code(), std::string(error->what()) + " (then: " + failed.what() + ")");
  }
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (errors[i].empty()) continue;
    throw decode(errors[i], "rank " + std::to_string(i) + " of " + std::to_string(size()) + " (" + hosts[i] + "): ");
  }
}

}  // namespace rim
