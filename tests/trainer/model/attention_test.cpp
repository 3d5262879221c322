#include "trainer/model/attention.h"

#include <functional>
#include <map>

#include "tests/trainer/model/model_test_support.h"
#include "trainer/model/block_attention.h"

namespace rim {
namespace {

class Attention : public testing::TestWithParam<int> {
 private:
  const ThreadCount threads_{GetParam()};
};

constexpr std::int64_t kBatch = 4;  // with two key-value heads just enough tasks for blocks

struct Problem {
  AttentionInputs inputs;
  at::Tensor weight;  // of the output
};

Problem random_problem(std::int64_t time, std::optional<std::int64_t> window, at::ScalarType dtype) {
  const auto fresh = [&](std::int64_t heads) {
    return at::randn({kBatch, heads, time, 8}).to(dtype).set_requires_grad(true);
  };
  return {{fresh(6), fresh(2), fresh(2), at::Tensor(), window}, at::randn({kBatch, time, 48}).to(dtype)};
}

using Path = std::function<at::Tensor(const AttentionInputs&)>;

// The output, and the gradients of query, key and value.
std::vector<at::Tensor> results(const Problem& problem, const Path& path) {
  const AttentionInputs& inputs = problem.inputs;
  for (const at::Tensor& input : {inputs.query, inputs.key, inputs.value}) input.mutable_grad().reset();
  const at::Tensor output = path(inputs);
  output.backward(problem.weight);
  return {output.detach(), inputs.query.grad(), inputs.key.grad(), inputs.value.grad()};
}

at::Tensor explicitly(const AttentionInputs& inputs) {
  return attend(inputs, [](at::Tensor&) {});
}

Path fused(bool copy_heads) {
  return [copy_heads](const AttentionInputs& inputs) {
    return attend_fused(inputs, copy_heads).transpose(1, 2).flatten(2);
  };
}

at::Tensor in_blocks(const AttentionInputs& inputs) {
  const std::int64_t window = inputs.window.value_or(inputs.key.size(2));
  return attend_in_blocks(inputs.query, inputs.key, inputs.value, window).flatten(2);
}

// Every path, also those that attend() takes only elsewhere or for other lengths.
TEST_P(Attention, AllPathsAgree) {
  at::manual_seed(1);
  const std::map<std::string, Path> paths = {{"chosen", [](const auto& inputs) { return attend(inputs); }},
                                             {"shared heads", fused(false)},
                                             {"copied heads", fused(true)},
                                             {"blocks", in_blocks}};
  for (const std::int64_t time : {1, 5, 70, 300, 600}) {
    for (const std::optional<std::int64_t> window : {std::optional<std::int64_t>(), std::optional<std::int64_t>(20)}) {
      const Problem problem = random_problem(time, window, at::kFloat);
      const auto expected = results(problem, explicitly);
      for (const auto& [name, path] : paths) {
        const auto ours = results(problem, path);
        for (std::size_t i = 0; i < ours.size(); ++i) {
          EXPECT_TRUE(at::allclose(ours[i], expected[i], 1e-4, 2e-6)) << name << " " << time << " " << i;
        }
      }
    }
  }
}

TEST_P(Attention, IsAsCloseToFp32InBfloat16AsTheExplicitOne) {
  at::manual_seed(1);
  const auto distance = [](const at::Tensor& x, const at::Tensor& exact) {
    return ((x.to(at::kFloat) - exact).norm() / exact.norm()).item<double>();
  };
  for (const std::optional<std::int64_t> window : {std::optional<std::int64_t>(), std::optional<std::int64_t>(20)}) {
    const Problem half = random_problem(300, window, at::kBFloat16);
    const auto wide = [](const at::Tensor& x) { return x.detach().to(at::kFloat).set_requires_grad(true); };
    const Problem full{{wide(half.inputs.query), wide(half.inputs.key), wide(half.inputs.value), at::Tensor(), window},
                       half.weight.to(at::kFloat)};
    const auto exact = results(full, explicitly), reference = results(half, explicitly);
    const auto ours = results(half, [](const AttentionInputs& inputs) { return attend(inputs); });
    for (std::size_t i = 0; i < ours.size(); ++i) {
      EXPECT_LT(distance(ours[i], exact[i]), 1.25 * distance(reference[i], exact[i])) << i;
    }
  }
}

TEST(AttentionThreads, ChangeNoBit) {
  for (const std::int64_t batch : {std::int64_t{1}, kBatch}) {
    Problem problem = random_problem(300, std::nullopt, at::kBFloat16);
    AttentionInputs& inputs = problem.inputs;
    for (at::Tensor* tensor : {&inputs.query, &inputs.key, &inputs.value, &problem.weight}) {
      *tensor = tensor->detach().narrow(0, 0, batch).clone().set_requires_grad(tensor != &problem.weight);
    }
    const auto with_threads = [&](int count) {
      const ThreadCount threads(count);
      return results(problem, [](const AttentionInputs& x) { return attend(x); });
    };
    const auto one = with_threads(1), four = with_threads(4);
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(at::equal(one[i], four[i])) << batch << " " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, Attention, thread_counts());

}  // namespace
}  // namespace rim
