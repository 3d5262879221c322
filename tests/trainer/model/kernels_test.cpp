// The CPU kernels against the same mathematics in ATen's operators.
#include <cmath>
#include <functional>
#include <limits>

#include "tests/trainer/model/model_test_support.h"
#include "trainer/model/heads.h"
#include "trainer/model/parallel_rows.h"
#include "trainer/model/rms_norm.h"
#include "trainer/model/simd.h"
#include "trainer/model/swiglu.h"

namespace rim {
namespace {

TEST(Simd, FastExpIsAccurate) {
  double worst = 0;
  for (float x = -87.0F; x <= 88.0F; x += 0.00137F) {
    const double exact = std::exp(static_cast<double>(x));
    worst = std::max(worst, std::abs(static_cast<double>(fast_exp(x)) - exact) / exact);
  }
  EXPECT_LT(worst, 3e-7);
  EXPECT_EQ(fast_exp(0.0F), 1.0F);
  EXPECT_EQ(fast_exp(-88.0F), 0.0F);
  EXPECT_EQ(fast_exp(-std::numeric_limits<float>::infinity()), 0.0F);
  EXPECT_TRUE(std::isfinite(fast_exp(1000.0F)));
  EXPECT_TRUE(std::isnan(fast_exp(std::numeric_limits<float>::quiet_NaN())));
}

TEST(Simd, RoundsToBfloat16AsLibtorch) {
  std::uint32_t bits = 12345;
  for (int i = 0; i < 200'000; ++i) {
    bits = bits * 1664525U + 1013904223U;
    const float value = std::bit_cast<float>(bits);
    const Bfloat16Bits ours = from_float<Bfloat16Bits>(value);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(to_float(ours)));
    } else {
      ASSERT_EQ(ours.bits, c10::BFloat16(value).x) << value;
    }
  }
}

class ParallelRows : public testing::TestWithParam<int> {};

TEST_P(ParallelRows, CoversEveryRowOnce) {
  const ThreadCount threads(GetParam());
  for (const std::int64_t rows : {0, 1, 2, 31, 32, 33, 1000}) {
    std::vector<int> visits(static_cast<std::size_t>(rows));
    std::vector<int> pieces(static_cast<std::size_t>(row_pieces(rows)));
    parallel_rows(rows, [&](std::int64_t begin, std::int64_t end, std::int64_t piece) {
      ++pieces[static_cast<std::size_t>(piece)];
      for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
    });
    EXPECT_THAT(visits, testing::Each(1));
    EXPECT_THAT(pieces, testing::Each(1));
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, ParallelRows, thread_counts());

// Values and gradients of `ours` and `theirs` on the same inputs; theirs are computed in fp32.
using Operation = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

void expect_equal_with_gradients(const Operation& ours, const Operation& theirs, std::vector<at::Tensor> inputs,
                                 at::ScalarType dtype) {
  const double tolerance = dtype == at::kFloat ? 2e-6 : 1.2e-2;
  std::vector<at::Tensor> wide;
  for (at::Tensor& input : inputs) {
    input = input.to(dtype).detach().set_requires_grad(true);
    wide.push_back(input.detach().to(at::kFloat).set_requires_grad(true));
  }
  const at::Tensor value = ours(inputs), expected = theirs(wide);
  const at::Tensor weight = at::randn_like(expected);
  EXPECT_EQ(value.scalar_type(), dtype);
  EXPECT_LT(relative_difference(value.to(at::kFloat), expected), tolerance);
  value.backward(weight.to(dtype));
  expected.backward(weight.to(dtype).to(at::kFloat));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(inputs[i].grad().scalar_type(), dtype);
    EXPECT_LT(relative_difference(inputs[i].grad().to(at::kFloat), wide[i].grad()), tolerance) << "input " << i;
  }
}

class Kernels : public testing::TestWithParam<std::tuple<at::ScalarType, int>> {
 protected:
  Kernels() { at::manual_seed(1); }
  const at::ScalarType dtype_ = std::get<0>(GetParam());

 private:
  const ThreadCount threads_{std::get<1>(GetParam())};
};

TEST_P(Kernels, RmsNorm) {
  // Odd widths leave a remainder after the last full vector. (One element's gradient is nothing but rounding.)
  for (const std::int64_t width : {2, 7, 64, 129}) {
    expect_equal_with_gradients(
        [](const auto& x) { return rms_norm(x[0], x[1], 1e-5); },
        [](const auto& x) { return x[1] * x[0] * at::rsqrt(x[0].square().mean(-1, true) + 1e-5); },
        {at::randn({3, 11, width}) * 3, at::randn({width}) + 1}, dtype_);
  }
}

TEST_P(Kernels, RmsNormOfStridedInput) {
  const at::Tensor x = at::randn({5, 8, 6}).to(dtype_).transpose(0, 1);
  const at::Tensor weight = at::ones({6}).to(dtype_);
  EXPECT_TRUE(at::equal(rms_norm(x, weight, 1e-5), rms_norm(x.contiguous(), weight, 1e-5)));
}

TEST_P(Kernels, Swiglu) {
  expect_equal_with_gradients([](const auto& x) { return swiglu(x[0], x[1]); },
                              [](const auto& x) { return x[0] * at::sigmoid(x[0]) * x[1]; },
                              {at::randn({2, 9, 37}) * 5, at::randn({2, 9, 37})}, dtype_);
}

TEST_P(Kernels, HeadsWithAndWithoutNorm) {
  const at::Tensor angles = at::randn({2, 5, 6});
  const RotaryTables tables{angles.cos().to(dtype_), angles.sin().to(dtype_)};
  const RotaryTables wide{tables.cosines.to(at::kFloat), tables.sines.to(at::kFloat)};
  const at::Tensor x = at::randn({2, 5, 3, 12});
  expect_equal_with_gradients([&](const auto& in) { return prepare_heads(in[0], {}, 1e-5, tables); },
                              [&](const auto& in) { return rotate(in[0], wide).transpose(1, 2); }, {x}, dtype_);
  expect_equal_with_gradients([&](const auto& in) { return prepare_heads(in[0], in[1], 1e-5, tables); },
                              [&](const auto& in) {
                                const at::Tensor scale = at::rsqrt(in[0].square().mean(-1, true) + 1e-5);
                                return rotate(in[1] * in[0] * scale, wide).transpose(1, 2);
                              },
                              {x, at::randn({12}) + 1}, dtype_);
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Kernels,
                         testing::Combine(testing::Values(at::kFloat, at::kBFloat16), thread_counts()));

TEST_P(Kernels, NotANumberReachesTheLoss) {
  const Decoder model = random_decoder(small_config("qwen3"), dtype_);
  const at::Tensor tokens = random_tokens(model, 4, 150);  // long enough for our own attention in bf16
  for (const auto& [name, tensor] : model.parameters()) {
    const at::Tensor before = tensor.clone();
    tensor.view(-1)[0] = std::numeric_limits<double>::quiet_NaN();
    // The broken embedding row counts only where it is looked up.
    if (name != "model.embed_tokens.weight") {
      EXPECT_TRUE(std::isnan(model.loss_sum(tokens, tokens).item<double>())) << name;
    }
    tensor.copy_(before);
  }
}

}  // namespace
}  // namespace rim
