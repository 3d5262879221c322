#include "trainer/model/linear.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/model/kernel_dispatch.h"
#include "trainer/model/matmul.h"

namespace rim {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class Linear : public torch::autograd::Function<Linear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    // What only a frozen tensor's gradient would need is not kept alive until backward.
    context->save_for_backward({weight.requires_grad() ? x : at::Tensor(), x.requires_grad() ? weight : at::Tensor()});
    context->saved_data["has_bias"] = bias.has_value();
    std::vector<std::int64_t> shape = x.sizes().vec();
    shape.back() = weight.size(0);
    return product_with_transposed(x.reshape({-1, x.size(-1)}), weight, bias.value_or(at::Tensor())).view(shape);
  }

  static variable_list backward(AutogradContext* context, const variable_list& upstream) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor y_gradient = upstream[0].reshape({-1, upstream[0].size(-1)});
    variable_list gradients(3);
    if (weight.defined() && context->needs_input_grad(0)) {
      std::vector<std::int64_t> shape = upstream[0].sizes().vec();
      shape.back() = weight.size(1);
      gradients[0] = matrix_product(y_gradient, weight).view(shape);
    }
    if (x.defined() && context->needs_input_grad(1)) {
      gradients[1] = matrix_product(y_gradient.t(), x.reshape({-1, x.size(-1)}));
    }
    // An empty optional has no edge to ask about.
    if (context->saved_data["has_bias"].toBool() && context->needs_input_grad(2)) gradients[2] = y_gradient.sum(0);
    return gradients;
  }
};

}  // namespace

at::Tensor linear_layer(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const auto optional_bias = bias.defined() ? std::optional(bias) : std::nullopt;
  return has_cpu_kernels(x) ? Linear::apply(x, weight, optional_bias) : at::linear(x, weight, optional_bias);
}

}  // namespace rim
