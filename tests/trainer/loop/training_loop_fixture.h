// What the collective tests of the training loop share.
#pragma once

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/trainer/loop/tiny_run.h"
#include "trainer/loop/run_folder.h"

namespace rim::testing {

namespace fs = std::filesystem;

class TrainingLoopTest : public ::testing::Test {
 protected:
  [[nodiscard]] bool first() const { return communicator_->rank() == 0; }
  [[nodiscard]] fs::path folder(const std::string& name) const { return shared_.path() / name; }
  // A folder of this rank's own.
  [[nodiscard]] fs::path own_folder(const std::string& name) const {
    return shared_.path() / (name + std::to_string(communicator_->rank()));
  }

  std::unique_ptr<Communicator> communicator_ = make_mpi_communicator({std::chrono::seconds(60)});
  SharedFolder shared_{*communicator_};
};

inline void expect_close(const std::vector<double>& found, const std::vector<double>& reference, double tolerance) {
  ASSERT_EQ(found.size(), reference.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], reference[i], tolerance * std::abs(reference[i])) << "step " << i + 1;
  }
}

inline void expect_equal_weights(const Trained& left, const Trained& right) {
  ASSERT_EQ(left.weights.size(), right.weights.size());
  for (std::size_t i = 0; i < left.weights.size(); ++i) {
    EXPECT_TRUE(at::equal(left.weights[i], right.weights[i])) << "parameter " << i;
  }
}

// Every field but the time.
inline std::vector<Json> log_without_seconds(const fs::path& output_dir) {
  std::ifstream file(log_file(output_dir));
  std::vector<Json> records;
  for (std::string line; std::getline(file, line);) {
    records.push_back(Json::parse(line));
    records.back().erase("seconds");
  }
  return records;
}

struct CountingObserver : Observer {
  void at_checkpoint(const Decoder& model, std::int64_t step, std::int64_t tokens) override {
    const at::NoGradGuard no_grad;
    static_cast<void>(model.hidden_states(at::zeros({1, 4}, at::kLong)));
    steps.push_back(step);
    counts.push_back(tokens);
    remembered = at::full({1}, step, at::kLong);
  }
  [[nodiscard]] TensorMap state() const override { return {{"remembered", remembered}}; }
  void load_state(const TensorMap& state) override { remembered = state.at("remembered"); }
  std::vector<std::int64_t> steps, counts;
  at::Tensor remembered = at::full({1}, -1, at::kLong);
};

}  // namespace rim::testing
