// A communicator of one rank without MPI, for unit tests.
#pragma once

#include "trainer/parallel/communicator.h"

namespace rim {

class SoloCommunicator : public Communicator {
 public:
  [[nodiscard]] int rank() const override { return 0; }
  [[nodiscard]] int size() const override { return 1; }
  std::unique_ptr<PendingReduction> start_all_reduce_sum(at::Tensor, const std::string&) override {
    class Done : public PendingReduction {
      void wait() override {}
    };
    return std::make_unique<Done>();
  }
  double sum(double value, const std::string&) override { return value; }
  double maximum(double value, const std::string&) override { return value; }
  std::vector<std::string> all_gather(const std::string& value, const std::string&) override { return {value}; }
};

}  // namespace rim
