// log.jsonl: one object per logged step. Local, written by rank 0 only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "data/support/file_descriptor.h"
#include "trainer/loop/training_loop.h"

namespace rim {

// Appends whole lines. After a resume the file is first cut back to the steps that the resumed run has behind it, so
// that it reads as if nothing had happened.
class StepLog {
 public:
  // Keeps the lines of steps up to `last_step` (0: none) of a file that is there. Throws Error(input_output).
  StepLog(const std::filesystem::path& path, std::int64_t last_step);
  // Throws Error(input_output).
  void append(const StepRecord& record);
  // To disk; with each checkpoint, so that no checkpoint is ahead of the log.
  void sync();

 private:
  [[noreturn]] void refuse() const;

  std::filesystem::path path_;
  FileDescriptor file_;
};

}  // namespace rim
