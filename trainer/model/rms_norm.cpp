#include "trainer/model/rms_norm.h"

#include <ATen/ATen.h>

namespace rim {

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scale = at::rsqrt(wide.square().mean(-1, true) + epsilon);
  return weight * (wide * scale).to(x.scalar_type());
}

}  // namespace rim
