#include "launch/verbs/run_status.h"

#include <unistd.h>

#include <utility>

#include "data/support/error.h"
#include "data/support/files.h"
#include "data/support/host.h"
#include "data/support/json.h"

namespace rim {
namespace {

constexpr std::chrono::seconds kBetweenUpdates{2};

std::string file_text(const Json& status) { return status.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

RunStatus::RunStatus(std::filesystem::path path, std::string run_id, std::int64_t total_steps)
    : path_(std::move(path)), run_id_(std::move(run_id)), total_steps_(total_steps) {}

std::string RunStatus::text(const std::string& state, const std::string& message) const {
  Json status{{"state", state},    {"step", step_},     {"total_steps", total_steps_},
              {"run_id", run_id_}, {"time", utc_now()}, {"host", host_name()},
              {"pid", ::getpid()}};
  if (!message.empty()) status["message"] = message;
  return file_text(status);
}

void RunStatus::write(const std::string& state, std::int64_t step, const std::string& message) {
  step_ = step;
  last_write_ = std::chrono::steady_clock::now();
  write_file_atomically(path_, text(state, message));
}

std::optional<std::string> RunStatus::update(std::int64_t step) {
  step_ = step;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_write_ < kBetweenUpdates) return std::nullopt;
  last_write_ = now;
  try {
    write_file_unsynced(path_, text("running", ""));
    return std::nullopt;
  } catch (const Error& error) {
    return std::exchange(complained_, true) ? std::nullopt : std::optional<std::string>(error.what());
  }
}

void note_failure(const std::filesystem::path& path, const std::string& message) {
  Json status = read_json_file(path);
  status["state"] = "failed";
  status["message"] = message;
  status["time"] = utc_now();
  write_file_atomically(path, file_text(status));
}

}  // namespace rim
