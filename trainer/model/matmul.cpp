#include "trainer/model/matmul.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

namespace rim {
namespace {

using LinearSignature = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                                   std::string_view, c10::List<std::optional<at::Scalar>>,
                                   std::optional<std::string_view>);
using LinearOperator = c10::TypedOperatorHandle<LinearSignature>;

// The operator that torch.compile uses for fused linear layers; a libtorch built without oneDNN lacks it.
std::optional<LinearOperator> find_onednn_linear() {
  const auto handle = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  if (!handle || !handle->hasKernelForDispatchKey(c10::DispatchKey::CPU)) return std::nullopt;
  return handle->typed<LinearSignature>();
}

}  // namespace

at::Tensor product_with_transposed(const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias) {
  static const std::optional<LinearOperator> onednn_linear = find_onednn_linear();
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  if (!onednn_linear || !a.is_cpu() || a.scalar_type() != at::kFloat) {
    return bias.defined() ? at::addmm(bias, a, b.t()) : at::mm(a, b.t());
  }
  // With gaps between rows or columns oneDNN falls back to a reference loop, a hundred times slower than a copy.
  const at::Tensor dense_b = b.is_non_overlapping_and_dense() ? b : b.contiguous();
  const auto optional_bias = bias.defined() ? std::optional(bias) : std::nullopt;
  return onednn_linear->call(a, dense_b, optional_bias, "none", c10::List<std::optional<at::Scalar>>(), "");
}

at::Tensor matrix_product(const at::Tensor& a, const at::Tensor& b) { return product_with_transposed(a, b.t()); }

}  // namespace rim
