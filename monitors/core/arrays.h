// Tensors as the recorder's arrays.
#pragma once

#include <ATen/core/Tensor.h>

#include "monitors/recorder/recorder.h"

namespace rim {

// A copy of an fp32, fp64, int64 or int8 tensor on any device, dtype and shape kept. Throws Error(software) for others.
Array to_array(const at::Tensor& tensor);

}  // namespace rim
