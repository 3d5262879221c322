#include "trainer/model/swiglu.h"

#include <ATen/ATen.h>

namespace rim {

at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up) { return at::silu(gate) * up; }

}  // namespace rim
