// The trainer's only view of whoever watches a run. launch/ wires the monitors in.
#pragma once

#include <cstdint>

#include "trainer/model/decoder.h"
#include "trainer/model/safetensors.h"

namespace rim {

class Observer {
 public:
  virtual ~Observer() = default;
  // COLLECTIVE. At step 0, after every checkpoint, and after a resume. Must leave the model and the random state as
  // they were: losses are bitwise equal with and without an observer.
  virtual void at_checkpoint(const Decoder& model, std::int64_t step, std::int64_t tokens) = 0;
  // What must survive a restart; the same on every rank, stored by rank 0. Called before at_checkpoint of the same
  // step.
  [[nodiscard]] virtual TensorMap state() const = 0;
  virtual void load_state(const TensorMap& state) = 0;
};

}  // namespace rim
