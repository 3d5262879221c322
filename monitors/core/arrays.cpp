#include "monitors/core/arrays.h"

#include "data/support/error.h"

namespace rim {
namespace {

template <typename Value>
std::vector<Value> values_of(const at::Tensor& tensor) {
  const Value* first = tensor.const_data_ptr<Value>();
  return {first, first + tensor.numel()};
}

}  // namespace

Array to_array(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().cpu().contiguous();
  const std::vector<std::int64_t> shape = values.sizes().vec();
  switch (values.scalar_type()) {
    case at::kFloat:
      return {.shape = shape, .values = values_of<float>(values)};
    case at::kDouble:
      return {.shape = shape, .values = values_of<double>(values)};
    case at::kLong:
      return {.shape = shape, .values = values_of<std::int64_t>(values)};
    case at::kChar:
      return {.shape = shape, .values = values_of<std::int8_t>(values)};
    default:
      throw Error(ExitCode::software, std::string("no array holds values of ") + at::toString(values.scalar_type()));
  }
}

}  // namespace rim
