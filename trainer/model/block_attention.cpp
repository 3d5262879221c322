#include "trainer/model/block_attention.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

#include "trainer/model/attention_kernels.h"
#include "trainer/model/kernel_dispatch.h"
#include "trainer/model/matmul.h"
#include "trainer/model/parallel_rows.h"

namespace rim {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kQueriesPerBlock = 128;

// A block of queries of one head, and the range of keys that any of them sees.
struct Block {
  std::int64_t first_query, queries, first_key, keys;
};

std::vector<Block> make_blocks(std::int64_t time, std::int64_t window) {
  std::vector<Block> blocks;
  for (std::int64_t begin = 0; begin < time; begin += kQueriesPerBlock) {
    const std::int64_t end = std::min(begin + kQueriesPerBlock, time);
    const std::int64_t first_key = std::max<std::int64_t>(0, begin + 1 - window);
    blocks.push_back({begin, end - begin, first_key, end - first_key});
  }
  return blocks;
}

// What all heads share.
struct Problem {
  at::Tensor query, key, value, log_sums;  // log_sums: fp32 [batch, heads, time]
  std::int64_t window = 0;
  std::vector<Block> blocks;

  Problem(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, at::Tensor sums, std::int64_t w)
      : query(q), key(k), value(v), log_sums(std::move(sums)), window(w), blocks(make_blocks(q.size(2), w)) {}

  [[nodiscard]] std::int64_t key_value_heads() const { return key.size(1); }
  [[nodiscard]] std::int64_t group() const { return query.size(1) / key.size(1); }
  [[nodiscard]] ScoreBlock score_block(const Block& block, const at::Tensor& scores, const at::Tensor& sums) const {
    return {output_pointer<float>(scores),
            block.queries,
            block.keys,
            block.first_query,
            block.first_key,
            window,
            static_cast<float>(1.0 / std::sqrt(static_cast<double>(query.size(3)))),
            output_pointer<float>(sums) + block.first_query};
  }
};

// Calls work(batch row, key-value head) for each pair, in parallel.
template <typename Work>
void for_each_key_value_head(const Problem& problem, const Work& work) {
  const std::int64_t heads = problem.key_value_heads();
  parallel_rows(problem.query.size(0) * heads, [&](std::int64_t begin, std::int64_t end, std::int64_t) {
    const at::NoGradGuard no_gradients;  // the guard of the calling thread does not reach the others
    for (std::int64_t i = begin; i < end; ++i) work(i / heads, i % heads);
  });
}

template <typename T>
void attend_heads(const Problem& problem, const at::Tensor& output, std::int64_t batch, std::int64_t key_value_head) {
  const at::Tensor value = problem.value[batch][key_value_head].contiguous();
  const at::Tensor wide_key = problem.key[batch][key_value_head].to(at::kFloat);
  for (std::int64_t member = 0; member < problem.group(); ++member) {
    const std::int64_t head = key_value_head * problem.group() + member;
    const at::Tensor wide_query = problem.query[batch][head].to(at::kFloat);
    const at::Tensor sums = problem.log_sums[batch][head];
    for (const Block& block : problem.blocks) {
      const at::Tensor scores = product_with_transposed(wide_query.narrow(0, block.first_query, block.queries),
                                                        wide_key.narrow(0, block.first_key, block.keys));
      const at::Tensor pattern = std::is_same_v<T, float> ? scores : at::empty_like(scores, value.options());
      softmax_block(problem.score_block(block, scores, sums), output_pointer<T>(pattern));
      output[batch]
          .narrow(0, block.first_query, block.queries)
          .select(1, head)
          .copy_(matrix_product(pattern, value.narrow(0, block.first_key, block.keys)));
    }
  }
}

struct Gradients {
  at::Tensor output;             // [batch, time, heads, head size]
  at::Tensor query, key, value;  // as the inputs, contiguous
};

// Sums over blocks and the group's heads, fp32. Transposed, [head size, time]: then each block's products read its
// weights [queries, keys] as they lie in memory.
struct TransposedSums {
  at::Tensor key, value;
  template <typename T>
  static void add(const at::Tensor& sum, const Block& block, const at::Tensor& addend) {
    add_block(output_pointer<float>(sum) + block.first_key, sum.size(1), input_pointer<T>(addend), sum.size(0),
              block.keys);
  }
};

template <typename T>
void attend_heads_backward(const Problem& problem, const Gradients& gradients, std::int64_t batch,
                           std::int64_t key_value_head) {
  const at::Tensor key = problem.key[batch][key_value_head];
  const at::Tensor wide_key = key.to(at::kFloat);
  const at::Tensor wide_value = problem.value[batch][key_value_head].to(at::kFloat);
  const TransposedSums sums{at::zeros({key.size(1), key.size(0)}, at::kFloat),
                            at::zeros({key.size(1), key.size(0)}, at::kFloat)};
  for (std::int64_t member = 0; member < problem.group(); ++member) {
    const std::int64_t head = key_value_head * problem.group() + member;
    const at::Tensor query = problem.query[batch][head];
    const at::Tensor wide_query = query.to(at::kFloat);
    const at::Tensor output_gradient = gradients.output[batch].select(1, head);
    for (const Block& block : problem.blocks) {
      const auto of_queries = [&](const at::Tensor& x) { return x.narrow(0, block.first_query, block.queries); };
      const auto of_keys = [&](const at::Tensor& x) { return x.narrow(0, block.first_key, block.keys); };
      const at::Tensor scores = product_with_transposed(of_queries(wide_query), of_keys(wide_key));
      const at::Tensor incoming = of_queries(output_gradient);
      const at::Tensor pattern_gradient = product_with_transposed(incoming.to(at::kFloat), of_keys(wide_value));
      const bool in_place = std::is_same_v<T, float>;
      const at::Tensor pattern = in_place ? scores : at::empty_like(scores, key.options());
      const at::Tensor score_gradient = in_place ? pattern_gradient : at::empty_like(scores, key.options());
      softmax_block_backward(problem.score_block(block, scores, problem.log_sums[batch][head]),
                             input_pointer<float>(pattern_gradient), output_pointer<T>(pattern),
                             output_pointer<T>(score_gradient));
      of_queries(gradients.query[batch][head]).copy_(matrix_product(score_gradient, of_keys(key)));
      TransposedSums::add<T>(sums.value, block, matrix_product(incoming.t(), pattern));
      TransposedSums::add<T>(sums.key, block, matrix_product(of_queries(query).t(), score_gradient));
    }
  }
  gradients.key[batch][key_value_head].copy_(sums.key.t());
  gradients.value[batch][key_value_head].copy_(sums.value.t());
}

class BlockAttention : public torch::autograd::Function<BlockAttention> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& query, const at::Tensor& key,
                            const at::Tensor& value, std::int64_t window) {
    const at::Tensor log_sums = at::empty({query.size(0), query.size(1), query.size(2)}, at::kFloat);
    const at::Tensor output = at::empty({query.size(0), query.size(2), query.size(1), query.size(3)}, query.options());
    const Problem problem(query, key, value, log_sums, window);
    with_kernel_type(query.scalar_type(), [&]<typename T>(T) {
      for_each_key_value_head(
          problem, [&](std::int64_t batch, std::int64_t head) { attend_heads<T>(problem, output, batch, head); });
    });
    context->save_for_backward({query, key, value, log_sums});
    context->saved_data["window"] = window;
    return output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& upstream) {
    const variable_list saved = context->get_saved_variables();
    const Problem problem(saved[0], saved[1], saved[2], saved[3], context->saved_data["window"].toInt());
    const auto empty = [](const at::Tensor& x) { return at::empty(x.sizes(), x.options()); };
    const Gradients gradients{upstream[0].contiguous(), empty(saved[0]), empty(saved[1]), empty(saved[2])};
    with_kernel_type(problem.query.scalar_type(), [&]<typename T>(T) {
      for_each_key_value_head(problem, [&](std::int64_t batch, std::int64_t head) {
        attend_heads_backward<T>(problem, gradients, batch, head);
      });
    });
    return {gradients.query, gradients.key, gradients.value, at::Tensor()};
  }
};

}  // namespace

at::Tensor attend_in_blocks(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                            std::int64_t window) {
  return BlockAttention::apply(query, key, value, window);
}

}  // namespace rim
