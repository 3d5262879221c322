#include "trainer/model/rms_norm.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/model/kernel_dispatch.h"
#include "trainer/model/parallel_rows.h"
#include "trainer/model/rms_norm_kernels.h"

namespace rim {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

template <typename T>
RmsNormRows<T> kernel_rows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& scales, double epsilon) {
  return {input_pointer<T>(x), input_pointer<T>(weight), output_pointer<float>(scales), x.size(-1),
          static_cast<float>(epsilon)};
}

class RmsNorm : public torch::autograd::Function<RmsNorm> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& any_x, const at::Tensor& weight,
                            double epsilon) {
    const at::Tensor x = any_x.contiguous();
    const std::int64_t rows = x.numel() / x.size(-1);
    const at::Tensor y = at::empty_like(x);
    const at::Tensor scales = at::empty({rows}, at::kFloat);
    with_kernel_type(x.scalar_type(), [&]<typename T>(T) {
      const RmsNormRows<T> norm = kernel_rows<T>(x, weight, scales, epsilon);
      parallel_rows(rows, [&](std::int64_t begin, std::int64_t end, std::int64_t) {
        rms_norm_rows(norm, output_pointer<T>(y), begin, end);
      });
    });
    context->save_for_backward({x, weight, scales});
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& upstream) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor y_gradient = upstream[0].contiguous();
    const std::int64_t rows = x.numel() / x.size(-1);
    const at::Tensor x_gradient = at::empty_like(x);
    const at::Tensor weight_gradients = at::zeros({row_pieces(rows), x.size(-1)}, at::kFloat);
    with_kernel_type(x.scalar_type(), [&]<typename T>(T) {
      const RmsNormRows<T> norm = kernel_rows<T>(x, saved[1], saved[2], 0.0);
      parallel_rows(rows, [&](std::int64_t begin, std::int64_t end, std::int64_t piece) {
        rms_norm_rows_backward(norm, input_pointer<T>(y_gradient), output_pointer<T>(x_gradient),
                               output_pointer<float>(weight_gradients) + piece * norm.width, begin, end);
      });
    });
    return {x_gradient, weight_gradients.sum(0).to(x.scalar_type()), at::Tensor()};
  }
};

at::Tensor rms_norm_by_operators(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scale = at::rsqrt(wide.square().mean(-1, true) + epsilon);
  return weight * (wide * scale).to(x.scalar_type());
}

}  // namespace

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  return has_cpu_kernels(x) ? RmsNorm::apply(x, weight, epsilon) : rms_norm_by_operators(x, weight, epsilon);
}

}  // namespace rim
