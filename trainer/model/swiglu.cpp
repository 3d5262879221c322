#include "trainer/model/swiglu.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/model/kernel_dispatch.h"
#include "trainer/model/parallel_rows.h"
#include "trainer/model/swiglu_kernels.h"

namespace rim {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class Swiglu : public torch::autograd::Function<Swiglu> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& any_gate, const at::Tensor& any_up) {
    const at::Tensor gate = any_gate.contiguous();
    const at::Tensor up = any_up.contiguous();
    const at::Tensor y = at::empty_like(gate);
    with_kernel_type(gate.scalar_type(), [&]<typename T>(T) {
      const SwigluInputs<T> inputs{input_pointer<T>(gate), input_pointer<T>(up)};
      parallel_rows(gate.numel(), [&](std::int64_t begin, std::int64_t end, std::int64_t) {
        swiglu_elements(inputs, output_pointer<T>(y), begin, end);
      });
    });
    context->save_for_backward({gate, up});
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& upstream) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor y_gradient = upstream[0].contiguous();
    const at::Tensor gate_gradient = at::empty_like(saved[0]);
    const at::Tensor up_gradient = at::empty_like(saved[1]);
    with_kernel_type(y_gradient.scalar_type(), [&]<typename T>(T) {
      const SwigluInputs<T> inputs{input_pointer<T>(saved[0]), input_pointer<T>(saved[1])};
      const SwigluGradients<T> gradients{input_pointer<T>(y_gradient), output_pointer<T>(gate_gradient),
                                         output_pointer<T>(up_gradient)};
      parallel_rows(y_gradient.numel(), [&](std::int64_t begin, std::int64_t end, std::int64_t) {
        swiglu_elements_backward(inputs, gradients, begin, end);
      });
    });
    return {gate_gradient, up_gradient};
  }
};

}  // namespace

at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up) {
  return has_cpu_kernels(gate) ? Swiglu::apply(gate, up) : at::silu(gate) * up;
}

}  // namespace rim
