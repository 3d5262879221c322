#include "trainer/loop/step_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <system_error>

#include "data/support/files.h"

namespace rim {
namespace {

// A killed process can leave half a line; so can a full disk.
bool belongs_to(const std::string& line, std::int64_t last_step) {
  const Json record = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!record.is_object()) return false;
  const auto step = record.find("step");
  return step != record.end() && step->is_number_integer() && step->get<std::int64_t>() <= last_step;
}

void cut_back(const std::filesystem::path& path, std::int64_t last_step) {
  if (!std::filesystem::exists(path)) return;
  std::istringstream lines(read_text_file(path));
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    if (belongs_to(line, last_step)) kept += line + '\n';
  }
  write_file_atomically(path, kept);
}

}  // namespace

StepLog::StepLog(const std::filesystem::path& path, std::int64_t last_step) : path_(path) {
  cut_back(path, last_step);
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) refuse();
}

StepLog::~StepLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void StepLog::append(const StepRecord& record) {
  const nlohmann::ordered_json json = {
      {"step", record.step},           {"loss", record.loss},     {"learning_rate", record.learning_rate},
      {"grad_norm", record.grad_norm}, {"tokens", record.tokens}, {"seconds", record.seconds}};
  const std::string line = json.dump() + '\n';
  std::size_t written = 0;
  while (written < line.size()) {
    const ssize_t count = ::write(descriptor_, line.data() + written, line.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse();
    written += static_cast<std::size_t>(count);
  }
}

void StepLog::sync() {
  if (::fsync(descriptor_) != 0) refuse();
}

void StepLog::refuse() const {
  throw Error(ExitCode::input_output,
              path_.string() + ": cannot be written: " + std::generic_category().message(errno));
}

}  // namespace rim
