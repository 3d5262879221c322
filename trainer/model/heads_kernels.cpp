#include "trainer/model/heads_kernels.h"

#include "trainer/model/rms_norm_row.h"

namespace rim {
namespace {

// Where a (batch, time) row's data lie.
template <typename T>
struct RowPlace {
  RIM_INLINE RowPlace(const HeadRows<T>& rows, std::int64_t row) {
    const std::int64_t batch = row / rows.time;
    const std::int64_t time = row % rows.time;
    const std::int64_t table = batch * rows.table_stride + time * (rows.head_size / 2);
    cosines = rows.cosines + table;
    sines = rows.sines + table;
    x = row * rows.heads * rows.head_size;
    y = (batch * rows.heads * rows.time + time) * rows.head_size;
  }
  const T* cosines;
  const T* sines;
  std::int64_t x, y;  // of the first head
};

template <typename T>
RIM_INLINE void load_head(const HeadRows<T>& rows, const T* x, std::int64_t head_row, float* values) {
  if (rows.weight == nullptr) {
#pragma omp simd
    for (std::int64_t i = 0; i < rows.head_size; ++i) values[i] = to_float(x[i]);
    return;
  }
  const float scale = inverse_root_mean_square(x, rows.head_size, rows.epsilon);
  rows.scales[head_row] = scale;
  const T* const weight = rows.weight;
#pragma omp simd
  for (std::int64_t i = 0; i < rows.head_size; ++i) {
    values[i] = rounded_to<T>(to_float(weight[i]) * rounded_to<T>(to_float(x[i]) * scale));
  }
}

template <typename T>
RIM_INLINE void forward(const HeadRows<T>& rows, T* y, float* values, std::int64_t begin, std::int64_t end) {
  const std::int64_t half = rows.head_size / 2;
  for (std::int64_t row = begin; row < end; ++row) {
    const RowPlace<T> place(rows, row);
    for (std::int64_t head = 0; head < rows.heads; ++head) {
      load_head(rows, rows.x + place.x + head * rows.head_size, row * rows.heads + head, values);
      T* const out = y + place.y + head * rows.time * rows.head_size;
#pragma omp simd
      for (std::int64_t i = 0; i < half; ++i) {
        const float cosine = to_float(place.cosines[i]);
        const float sine = to_float(place.sines[i]);
        out[i] = from_float<T>(values[i] * cosine - values[half + i] * sine);
        out[half + i] = from_float<T>(values[half + i] * cosine + values[i] * sine);
      }
    }
  }
}

template <typename T>
RIM_INLINE void backward(const HeadRows<T>& rows, const T* y_gradient, T* x_gradient, float* weight_gradient,
                         float* values, std::int64_t begin, std::int64_t end) {
  const std::int64_t half = rows.head_size / 2;
  for (std::int64_t row = begin; row < end; ++row) {
    const RowPlace<T> place(rows, row);
    for (std::int64_t head = 0; head < rows.heads; ++head) {
      const T* const incoming = y_gradient + place.y + head * rows.time * rows.head_size;
#pragma omp simd
      for (std::int64_t i = 0; i < half; ++i) {  // the transposed rotation: by the negative angle
        const float cosine = to_float(place.cosines[i]);
        const float sine = to_float(place.sines[i]);
        const float first = to_float(incoming[i]);
        const float second = to_float(incoming[half + i]);
        values[i] = first * cosine + second * sine;
        values[half + i] = second * cosine - first * sine;
      }
      const std::int64_t start = place.x + head * rows.head_size;
      T* const out = x_gradient + start;
      if (rows.weight != nullptr) {
        rms_norm_row_backward(rows.x + start, rows.weight, rows.scales[row * rows.heads + head], values, out,
                              weight_gradient, rows.head_size);
        continue;
      }
#pragma omp simd
      for (std::int64_t i = 0; i < rows.head_size; ++i) out[i] = from_float<T>(values[i]);
    }
  }
}

}  // namespace

RIM_VECTORIZED void rotate_head_rows(const HeadRows<float>& rows, float* y, float* scratch, std::int64_t begin,
                                     std::int64_t end) {
  forward(rows, y, scratch, begin, end);
}
RIM_VECTORIZED void rotate_head_rows(const HeadRows<Bfloat16Bits>& rows, Bfloat16Bits* y, float* scratch,
                                     std::int64_t begin, std::int64_t end) {
  forward(rows, y, scratch, begin, end);
}
RIM_VECTORIZED void rotate_head_rows_backward(const HeadRows<float>& rows, const float* y_gradient, float* x_gradient,
                                              float* weight_gradient, float* scratch, std::int64_t begin,
                                              std::int64_t end) {
  backward(rows, y_gradient, x_gradient, weight_gradient, scratch, begin, end);
}
RIM_VECTORIZED void rotate_head_rows_backward(const HeadRows<Bfloat16Bits>& rows, const Bfloat16Bits* y_gradient,
                                              Bfloat16Bits* x_gradient, float* weight_gradient, float* scratch,
                                              std::int64_t begin, std::int64_t end) {
  backward(rows, y_gradient, x_gradient, weight_gradient, scratch, begin, end);
}

}  // namespace rim
