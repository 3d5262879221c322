#include "trainer/model/heads.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>
#include <vector>

#include "trainer/model/heads_kernels.h"
#include "trainer/model/kernel_dispatch.h"
#include "trainer/model/parallel_rows.h"
#include "trainer/model/rms_norm.h"

namespace rim {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

template <typename T>
HeadRows<T> kernel_rows(at::IntArrayRef shape, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& scales,
                        const RotaryTables& tables, double epsilon) {
  HeadRows<T> rows{};
  if (x.defined()) rows.x = input_pointer<T>(x);
  if (weight.defined()) {
    rows.weight = input_pointer<T>(weight);
    rows.scales = output_pointer<float>(scales);
  }
  rows.epsilon = static_cast<float>(epsilon);
  rows.cosines = input_pointer<T>(tables.cosines);
  rows.sines = input_pointer<T>(tables.sines);
  rows.time = shape[1];
  rows.heads = shape[2];
  rows.head_size = shape[3];
  rows.table_stride = tables.cosines.size(0) == 1 ? 0 : tables.cosines.stride(0);
  return rows;
}

class PrepareHeads : public torch::autograd::Function<PrepareHeads> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& any_x,
                            const std::optional<at::Tensor>& norm_weight, const at::Tensor& cosines,
                            const at::Tensor& sines, double epsilon) {
    const at::Tensor x = any_x.contiguous();
    const at::Tensor weight = norm_weight.value_or(at::Tensor());
    const at::IntArrayRef shape = x.sizes();
    const at::Tensor y = at::empty({shape[0], shape[2], shape[1], shape[3]}, x.options());
    const at::Tensor scales = weight.defined() ? at::empty({shape[0], shape[1], shape[2]}, at::kFloat) : at::Tensor();
    with_kernel_type(x.scalar_type(), [&]<typename T>(T) {
      const HeadRows<T> rows = kernel_rows<T>(shape, x, weight, scales, {cosines, sines}, epsilon);
      parallel_rows(shape[0] * shape[1], [&](std::int64_t begin, std::int64_t end, std::int64_t) {
        std::vector<float> scratch(static_cast<std::size_t>(rows.head_size));
        rotate_head_rows(rows, output_pointer<T>(y), scratch.data(), begin, end);
      });
    });
    // Without a norm the gradient needs the angles only.
    context->save_for_backward({weight.defined() ? x : at::Tensor(), weight, scales, cosines, sines});
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& upstream) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor y_gradient = upstream[0].contiguous();
    const at::Tensor x_gradient = at::empty(
        {y_gradient.size(0), y_gradient.size(2), y_gradient.size(1), y_gradient.size(3)}, y_gradient.options());
    const at::IntArrayRef shape = x_gradient.sizes();
    const std::int64_t positions = shape[0] * shape[1];
    const at::Tensor weight_gradients = at::zeros({row_pieces(positions), shape[3]}, at::kFloat);
    with_kernel_type(y_gradient.scalar_type(), [&]<typename T>(T) {
      const HeadRows<T> rows = kernel_rows<T>(shape, saved[0], saved[1], saved[2], {saved[3], saved[4]}, 0.0);
      parallel_rows(positions, [&](std::int64_t begin, std::int64_t end, std::int64_t piece) {
        std::vector<float> scratch(static_cast<std::size_t>(rows.head_size));
        rotate_head_rows_backward(rows, input_pointer<T>(y_gradient), output_pointer<T>(x_gradient),
                                  output_pointer<float>(weight_gradients) + piece * shape[3], scratch.data(), begin,
                                  end);
      });
    });
    const at::Tensor weight_gradient =
        saved[1].defined() ? weight_gradients.sum(0).to(saved[1].scalar_type()) : at::Tensor();
    return {x_gradient, weight_gradient, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor prepare_heads(const at::Tensor& x, const at::Tensor& norm_weight, double epsilon,
                         const RotaryTables& tables) {
  if (has_cpu_kernels(x)) {
    // An undefined tensor is no valid argument of a Function, an empty optional is.
    const auto weight = norm_weight.defined() ? std::optional(norm_weight) : std::nullopt;
    return PrepareHeads::apply(x, weight, tables.cosines.contiguous(), tables.sines.contiguous(), epsilon);
  }
  const at::Tensor normal = norm_weight.defined() ? rms_norm(x, norm_weight, epsilon) : x;
  return rotate(normal, tables).transpose(1, 2);
}

}  // namespace rim
