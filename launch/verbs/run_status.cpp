#include "launch/verbs/run_status.h"

#include <array>
#include <ctime>
#include <utility>

#include "data/support/files.h"
#include "data/support/json.h"

namespace rim {
namespace {
constexpr std::chrono::seconds kBetweenUpdates{2};
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), length};
}

RunStatus::RunStatus(std::filesystem::path path, std::string run_id, std::int64_t total_steps)
    : path_(std::move(path)), run_id_(std::move(run_id)), total_steps_(total_steps) {}

void RunStatus::write(const std::string& state, std::int64_t step, const std::string& message) {
  step_ = step;
  Json status{
      {"state", state}, {"step", step}, {"total_steps", total_steps_}, {"run_id", run_id_}, {"time", utc_now()}};
  if (!message.empty()) status["message"] = message;
  write_file_atomically(path_, status.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  last_write_ = std::chrono::steady_clock::now();
}

void RunStatus::update(std::int64_t step) {
  step_ = step;
  if (std::chrono::steady_clock::now() - last_write_ >= kBetweenUpdates) write("running", step);
}

}  // namespace rim
