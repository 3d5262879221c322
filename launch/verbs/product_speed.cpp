#include "launch/verbs/product_speed.h"

#include <ATen/ops/full.h>

#include <algorithm>
#include <ctime>
#include <limits>

#include "trainer/model/matmul.h"

namespace rim {
namespace {

constexpr std::int64_t kRows = 256, kWidth = 1024;
constexpr int kRounds = 15;

// Of this thread, which computes its share and waits for the others': other programs take none of it.
double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double seconds_of(const at::Tensor& rows, const at::Tensor& weight) {
  const double start = processor_seconds();
  product_with_transposed(rows, weight);
  return processor_seconds() - start;
}

}  // namespace

ProductTimes time_products() {
  const at::Tensor rows = at::full({kRows, kWidth}, 0.5, at::kFloat),
                   weight = at::full({kWidth, kWidth}, 0.5, at::kFloat);
  const at::Tensor half_rows = rows.to(at::kBFloat16), half_weight = weight.to(at::kBFloat16);
  seconds_of(rows, weight), seconds_of(half_rows, half_weight);  // the first ones compile kernels
  constexpr double kNever = std::numeric_limits<double>::infinity();
  ProductTimes times{kNever, kNever};
  for (int round = 0; round < kRounds; ++round) {
    times.float32 = std::min(times.float32, seconds_of(rows, weight));
    times.bfloat16 = std::min(times.bfloat16, seconds_of(half_rows, half_weight));
  }
  return times;
}

}  // namespace rim
