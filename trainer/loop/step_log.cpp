#include "trainer/loop/step_log.h"

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

const std::filesystem::path& cut_back(const std::filesystem::path& path, std::int64_t last_step) {
  if (!std::filesystem::exists(path)) return path;
  std::istringstream lines(read_text_file(path));
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    if (belongs_to(line, last_step)) kept += line + '\n';
  }
  write_file_atomically(path, kept);
  return path;
}

}  // namespace

StepLog::StepLog(const std::filesystem::path& path, std::int64_t last_step)
    : path_(path), file_(cut_back(path, last_step), O_WRONLY | O_CREAT | O_APPEND) {
  if (file_.value() < 0) refuse();
}

void StepLog::append(const StepRecord& record) {
  const nlohmann::ordered_json json = {
      {"step", record.step},           {"loss", record.loss},     {"learning_rate", record.learning_rate},
      {"grad_norm", record.grad_norm}, {"tokens", record.tokens}, {"seconds", record.seconds}};
  if (!file_.write(json.dump() + '\n')) refuse();
}

void StepLog::sync() {
  if (::fsync(file_.value()) != 0) refuse();
}

void StepLog::refuse() const {
  throw Error(ExitCode::input_output,
              path_.string() + ": cannot be written: " + std::generic_category().message(errno));
}

}  // namespace rim
