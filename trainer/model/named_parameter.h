// A model's parameter with its Hugging Face name, apart from the Decoder: gradients and optimizers need no more of it.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace rim {

struct NamedParameter {
  std::string name;
  at::Tensor tensor;  // shares the model's storage
};

}  // namespace rim
