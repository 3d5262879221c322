#include "trainer/loop/weights_digest.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/sum.h>

#include "data/support/sha256.h"

namespace rim {

std::string weights_digest(const std::vector<NamedParameter>& parameters) {
  const at::NoGradGuard no_grad;
  std::string sums;
  for (const NamedParameter& parameter : parameters) {
    const at::ScalarType bits = parameter.tensor.element_size() == 2 ? at::kShort : at::kInt;
    sums += std::to_string(parameter.tensor.view(bits).sum(at::kLong).item<std::int64_t>()) + ' ';
  }
  return sha256_hex(sums);
}

}  // namespace rim
