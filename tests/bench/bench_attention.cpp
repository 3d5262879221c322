// Attention on the CPU: trainer/model's blocks beside libtorch's scaled_dot_product_attention, forward and backward.
//
//   bench_attention [rounds, by default 15]
//
// Prints a Markdown table: processor time of the process in milliseconds, medians over rounds that run both in turns,
// and the median of the ratios within a round. Each case has 2,048 tokens. docs/benchmarks.md says how to read it.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

#include "trainer/model/attention.h"
#include "trainer/model/block_attention.h"

namespace {

constexpr std::int64_t kTokens = 2048;
constexpr double kShortestMeasurement = 0.05;  // seconds: the clock and the caches need some

struct Shape {
  std::string name;
  std::int64_t heads, key_value_heads, head_size;
};

struct Case {
  Shape shape;
  at::ScalarType dtype;
  int threads;
  std::int64_t time, window;  // a window of `time` is none
};

double processor_seconds() {
  std::timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// As the decoder makes them: query and key [batch, heads, time, size] as they lie in memory, value transposed.
rim::AttentionInputs random_inputs(const Case& c) {
  const auto options = at::TensorOptions(c.dtype);
  const std::int64_t batch = kTokens / c.time, size = c.shape.head_size;
  rim::AttentionInputs inputs{at::randn({batch, c.shape.heads, c.time, size}, options),
                              at::randn({batch, c.shape.key_value_heads, c.time, size}, options),
                              at::randn({batch, c.time, c.shape.key_value_heads, size}, options).transpose(1, 2),
                              at::Tensor(), c.window};
  for (at::Tensor* tensor : {&inputs.query, &inputs.key, &inputs.value}) tensor->set_requires_grad(true);
  return inputs;
}

using Path = std::function<at::Tensor(const rim::AttentionInputs&)>;

at::Tensor in_blocks(const rim::AttentionInputs& inputs) {
  return rim::attend_in_blocks(inputs.query, inputs.key, inputs.value, *inputs.window).flatten(2);
}

at::Tensor by_libtorch(const rim::AttentionInputs& inputs) {
  return rim::attend_fused(inputs, false).transpose(1, 2).flatten(2).contiguous();
}

// Milliseconds of one pass forward and backward.
double measure(const Path& path, rim::AttentionInputs& inputs, const at::Tensor& gradient, int repetitions) {
  const double start = processor_seconds();
  for (int i = 0; i < repetitions; ++i) {
    for (at::Tensor* tensor : {&inputs.query, &inputs.key, &inputs.value}) tensor->mutable_grad().reset();
    path(inputs).backward(gradient);
  }
  return (processor_seconds() - start) / repetitions * 1e3;
}

void run(const Case& c, int rounds) {
  at::set_num_threads(c.threads);
  rim::AttentionInputs inputs = random_inputs(c);
  const at::Tensor gradient = at::randn({kTokens / c.time, c.time, c.shape.heads * c.shape.head_size}, c.dtype);
  measure(by_libtorch, inputs, gradient, 1);
  const double once = measure(in_blocks, inputs, gradient, 1) / 1e3;
  const int repetitions = std::max(1, static_cast<int>(kShortestMeasurement / once));
  std::vector<double> blocks, libtorch, ratios;
  for (int round = 0; round < rounds; ++round) {
    if (round % 2 == 0) blocks.push_back(measure(in_blocks, inputs, gradient, repetitions));
    libtorch.push_back(measure(by_libtorch, inputs, gradient, repetitions));
    if (round % 2 == 1) blocks.push_back(measure(in_blocks, inputs, gradient, repetitions));
    ratios.push_back(libtorch.back() / blocks.back());
  }
  std::cout << "| " << (c.dtype == at::kFloat ? "fp32" : "bf16") << " | " << c.shape.name << " | " << c.threads << " | "
            << c.time << " | " << (c.window < c.time ? std::to_string(c.window) : "none") << std::setprecision(1)
            << " | " << median(blocks) << " | " << median(libtorch) << std::setprecision(2) << " | " << median(ratios)
            << " |" << std::endl;
}

}  // namespace

int main(int count, char** values) {
  const int rounds = count > 1 ? std::stoi(values[1]) : 15;
  std::cout << std::fixed << "| dtype | heads | threads | time | window | blocks, ms | SDPA, ms | SDPA / blocks |\n"
            << "|---|---|---|---|---|---|---|---|\n";
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    for (const Shape& shape : {Shape{"4 / 2 of 32 (demo)", 4, 2, 32}, Shape{"6 / 2 of 64 (bench)", 6, 2, 64},
                               Shape{"16 / 8 of 128 (Qwen3-0.6B)", 16, 8, 128}}) {
      for (const int threads : {1, 2}) {
        for (const std::int64_t time : {128, 512, 2048}) {
          run({shape, dtype, threads, time, time}, rounds);
          if (time > 128) run({shape, dtype, threads, time, time / 4}, rounds);
        }
      }
    }
  }
}
