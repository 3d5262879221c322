// A world of one rank and folders that vanish, for tests.
#pragma once

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "trainer/parallel/communicator.h"

namespace rim::testing {

// The world of one rank, for references computed beside a run on several.
class AloneCommunicator : public Communicator {
 public:
  [[nodiscard]] int rank() const override { return 0; }
  [[nodiscard]] int size() const override { return 1; }
  std::unique_ptr<PendingReduction> start_all_reduce_sum(at::Tensor, const std::string&) override {
    return std::make_unique<Nothing>();
  }
  double sum(double value, const std::string&) override { return value; }
  double maximum(double value, const std::string&) override { return value; }
  std::vector<std::string> all_gather(const std::string& value, const std::string&) override { return {value}; }

 private:
  struct Nothing : PendingReduction {
    void wait() override {}
  };
};

// Made by rank 0 of `communicator`, known to all, removed at the end.
class SharedFolder {
 public:
  explicit SharedFolder(Communicator& communicator) : communicator_(communicator), owner_(communicator.rank() == 0) {
    const auto name = "rimscope-test-" + std::to_string(std::random_device{}());
    path_ = communicator.all_gather((std::filesystem::temp_directory_path() / name).string(), "test folder").front();
    if (owner_) std::filesystem::create_directories(path_);
    communicator.sum(0, "test folder");
  }
  ~SharedFolder() {
    std::error_code ignored;
    try {
      communicator_.sum(0, "end of the test");
    } catch (const Error&) {
      return;  // a rank failed; its folder helps to see why
    }
    if (owner_) std::filesystem::remove_all(path_, ignored);
  }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  Communicator& communicator_;
  std::filesystem::path path_;
  bool owner_;
};

}  // namespace rim::testing
