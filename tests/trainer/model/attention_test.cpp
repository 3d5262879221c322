#include "trainer/model/attention.h"

#include "tests/trainer/model/model_test_support.h"

namespace rim {
namespace {

TEST(Attention, AllPathsAgree) {
  at::manual_seed(1);
  for (const std::int64_t time : {1, 5, 70, 300}) {
    for (const std::optional<std::int64_t> window : {std::optional<std::int64_t>(), std::optional<std::int64_t>(20)}) {
      const auto fresh = [&](std::int64_t heads) { return at::randn({2, heads, time, 8}).set_requires_grad(true); };
      AttentionInputs inputs{fresh(6), fresh(2), fresh(2), at::Tensor(), window};
      const at::Tensor weight = at::randn({2, time, 48});
      const auto gradients = [&](const at::Tensor& output) {
        for (const at::Tensor& input : {inputs.query, inputs.key, inputs.value}) input.mutable_grad().reset();
        (output * weight).sum().backward();
        return std::vector<at::Tensor>{output.detach(), inputs.query.grad(), inputs.key.grad(), inputs.value.grad()};
      };
      const auto fast = gradients(attend(inputs));
      const auto explicit_one = gradients(attend(inputs, [](at::Tensor&) {}));
      for (std::size_t i = 0; i < fast.size(); ++i) {
        EXPECT_TRUE(at::allclose(fast[i], explicit_one[i], 1e-4, 2e-6)) << time << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace rim
