// AdamW and clipping against formulas worked out here in double; test_loop_against_torch.py compares with torch itself.
#include "trainer/loop/optimizer.h"

#include <ATen/ATen.h>
#include <c10/core/Allocator.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include "data/support/error.h"

namespace {

using namespace rim;
using ::testing::HasSubstr;

std::vector<NamedParameter> parameters(at::ScalarType dtype) {
  return {{"matrix", at::linspace(-1.0, 1.0, 6, at::kFloat).view({2, 3}).to(dtype)},
          {"norm", at::full({3}, 1.0, at::kFloat).to(dtype)}};
}

std::vector<at::Tensor> gradients(int step) {
  return {at::linspace(-0.3, 0.4, 6).view({2, 3}) * (step + 1), at::linspace(0.1, 0.2, 3) * (step - 2)};
}

// One element, from the paper's algorithm 2.
struct Element {
  double weight, first = 0, second = 0;
  void step(double gradient, int t, double rate, double decay, const AdamWOptions& options) {
    weight -= rate * decay * weight;
    first = options.beta1 * first + (1 - options.beta1) * gradient;
    second = options.beta2 * second + (1 - options.beta2) * gradient * gradient;
    const double corrected_first = first / (1 - std::pow(options.beta1, t));
    const double corrected_second = second / (1 - std::pow(options.beta2, t));
    weight -= rate * corrected_first / (std::sqrt(corrected_second) + options.epsilon);
  }
};

TEST(AdamW, FollowsThePaperWithoutDecayOnVectors) {
  AdamWOptions options;
  options.weight_decay = 0.3;
  const auto trained = parameters(at::kFloat);
  std::vector<std::vector<Element>> expected;
  for (const auto& parameter : trained) {
    expected.emplace_back();
    const at::Tensor flat = parameter.tensor.flatten();
    for (std::int64_t i = 0; i < flat.numel(); ++i) expected.back().push_back({flat[i].item<double>()});
  }
  AdamW optimizer(trained, options);
  for (int step = 0; step < 5; ++step) {
    const double rate = 0.1 / (step + 1);
    optimizer.step(gradients(step), rate);
    for (std::size_t p = 0; p < expected.size(); ++p) {
      const at::Tensor gradient = gradients(step)[p].flatten();
      for (std::size_t i = 0; i < expected[p].size(); ++i) {
        const double decay = p == 0 ? options.weight_decay : 0.0;
        expected[p][i].step(gradient[static_cast<std::int64_t>(i)].item<double>(), step + 1, rate, decay, options);
      }
    }
  }
  for (std::size_t p = 0; p < expected.size(); ++p) {
    const at::Tensor flat = trained[p].tensor.flatten();
    for (std::size_t i = 0; i < expected[p].size(); ++i) {
      EXPECT_NEAR(flat[static_cast<std::int64_t>(i)].item<double>(), expected[p][i].weight,
                  1e-6 * std::max(0.1, std::abs(expected[p][i].weight)));
    }
  }
}

TEST(AdamW, Bfloat16WeightsAreRoundedFp32Masters) {
  const auto half = parameters(at::kBFloat16);
  std::vector<NamedParameter> full;
  for (const auto& parameter : half) full.push_back({parameter.name, parameter.tensor.to(at::kFloat)});
  AdamW half_optimizer(half, {}), full_optimizer(full, {});
  // So small that bf16 alone would lose every step.
  for (int step = 0; step < 50; ++step) {
    half_optimizer.step(gradients(3), 1e-4);
    full_optimizer.step(gradients(3), 1e-4);
  }
  for (std::size_t i = 0; i < half.size(); ++i) {
    EXPECT_TRUE(at::equal(half[i].tensor, full[i].tensor.to(at::kBFloat16)));
    EXPECT_TRUE(at::equal(half_optimizer.state().at("master." + half[i].name), full[i].tensor));
  }
  EXPECT_FALSE(at::equal(half[1].tensor, parameters(at::kBFloat16)[1].tensor));
}

TEST(AdamW, MastersMayStartMorePreciseThanTheModel) {
  const auto full = parameters(at::kFloat), half = parameters(at::kBFloat16);
  AdamW full_optimizer(full, {}), half_optimizer(half, {});
  half_optimizer.read_masters([&](const std::string& name) {
    return std::ranges::find(full, name, &NamedParameter::name)->tensor.to(at::kDouble);  // any dtype will do
  });
  full_optimizer.step(gradients(3), 1e-4);
  half_optimizer.step(gradients(3), 1e-4);
  for (std::size_t i = 0; i < half.size(); ++i) {
    EXPECT_TRUE(at::equal(half_optimizer.state().at("master." + half[i].name), full[i].tensor));
    EXPECT_TRUE(at::equal(half[i].tensor, full[i].tensor.to(at::kBFloat16)));
  }
  full_optimizer.read_masters([](const std::string&) -> at::Tensor { throw std::logic_error("asked in vain"); });
}

// A state as a checkpoint keeps it.
class SavedState {
 public:
  explicit SavedState(const TensorMap& state)
      : path_(std::filesystem::temp_directory_path() / ("rimscope-optimizer-" + std::to_string(::getpid()))) {
    write_safetensors(path_, {state.begin(), state.end()});
    file_.emplace(path_);
  }
  ~SavedState() { std::filesystem::remove(path_); }
  SavedState(const SavedState&) = delete;
  SavedState& operator=(const SavedState&) = delete;
  [[nodiscard]] const SafetensorsFile& file() const { return *file_; }

 private:
  std::filesystem::path path_;
  std::optional<SafetensorsFile> file_;
};

// Bytes of libtorch's CPU memory in use, and the most there were, while it lives.
class MemoryWatch : public c10::MemoryReportingInfoBase {
 public:
  [[nodiscard]] std::int64_t peak() const { return peak_; }
  void reportMemoryUsage(void*, std::int64_t size, std::size_t, std::size_t, c10::Device) override {
    now_ += size;
    peak_ = std::max(peak_, now_);
  }
  [[nodiscard]] bool memoryProfilingEnabled() const override { return true; }

 private:
  std::int64_t now_ = 0, peak_ = 0;
};

TEST(AdamW, ReadsItsStateTensorByTensor) {
  std::vector<NamedParameter> many;
  for (int i = 0; i < 20; ++i) many.push_back({"w" + std::to_string(i), at::rand({100, 100})});
  AdamW optimizer(many, {});
  const SavedState saved(optimizer.state());
  const auto watch = std::make_shared<MemoryWatch>();
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, watch);
    optimizer.load_state(saved.file());
  }
  EXPECT_GE(watch->peak(), 40'000) << "nothing was watched";
  EXPECT_LE(watch->peak(), 2 * 40'000);  // of the 40 tensors' 1.6 MB
}

TEST(AdamW, ContinuesBitEqualFromItsState) {
  const auto straight = parameters(at::kBFloat16), resumed = parameters(at::kBFloat16);
  AdamW first(straight, {});
  for (int step = 0; step < 3; ++step) first.step(gradients(step), 1e-2);
  AdamW second(resumed, {});
  second.load_state(SavedState(first.state()).file());
  for (int step = 3; step < 6; ++step) {
    first.step(gradients(step), 1e-2);
    second.step(gradients(step), 1e-2);
  }
  for (std::size_t i = 0; i < straight.size(); ++i) EXPECT_TRUE(at::equal(straight[i].tensor, resumed[i].tensor));
}

TEST(AdamW, RefusesAStateThatDoesNotFit) {
  AdamW optimizer(parameters(at::kFloat), {});
  TensorMap missing = optimizer.state();
  missing.erase("exp_avg_sq.norm");
  TensorMap misshapen = optimizer.state();
  misshapen["exp_avg.matrix"] = at::zeros({3, 2});
  const auto message = [&](const TensorMap& state) -> std::string {
    try {
      optimizer.load_state(SavedState(state).file());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data);
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message(missing), HasSubstr("'exp_avg_sq.norm'"));
  EXPECT_THAT(message(misshapen), HasSubstr("'exp_avg.matrix'"));
  TensorMap without_step = optimizer.state();
  without_step.erase("step");
  EXPECT_THAT(message(without_step), HasSubstr("'step'"));
}

TEST(AdamW, RefusesAStateOfOtherParameters) {
  const auto both = parameters(at::kFloat);
  AdamW whole(both, {}), part({both[0]}, {});
  const auto message = [](AdamW& optimizer, const AdamW& other) -> std::string {
    try {
      optimizer.load_state(SavedState(other.state()).file());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::config);
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message(whole, part), HasSubstr("did not train 'norm'"));
  EXPECT_THAT(message(part, whole), HasSubstr("also trained 'norm'"));
}

TEST(ClipGradientNorm, ScalesToTheLimitAndReportsTheNormBefore) {
  const std::vector<at::Tensor> tensors = {at::full({2, 2}, 1.0), at::full({5}, 2.0)};  // squares: 4 + 20
  const at::Tensor norm = clip_gradient_norm(tensors, 1.0);
  EXPECT_NEAR(norm.item<double>(), std::sqrt(24.0), 1e-6);
  EXPECT_NEAR(tensors[1][0].item<double>(), 2.0 / (std::sqrt(24.0) + 1e-6), 1e-6);
}

TEST(ClipGradientNorm, LeavesSmallGradientsAndUnlimitedOnesAlone) {
  const std::vector<at::Tensor> tensors = {at::full({4}, 3.0)};
  EXPECT_NEAR(clip_gradient_norm(tensors, 7.0).item<double>(), 6.0, 1e-6);
  EXPECT_NEAR(clip_gradient_norm(tensors, 0.0).item<double>(), 6.0, 1e-6);
  EXPECT_TRUE(at::equal(tensors[0], at::full({4}, 3.0)));
}

TEST(ClipGradientNorm, ShowsWhatIsNotFinite) {
  const std::vector<at::Tensor> tensors = {at::full({4}, NAN)};
  EXPECT_TRUE(std::isnan(clip_gradient_norm(tensors, 1.0).item<double>()));
}

}  // namespace
