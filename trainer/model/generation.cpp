#include "trainer/model/generation.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <numeric>

#include "data/support/error.h"

namespace rim {
namespace {

using Prompts = std::vector<std::vector<std::int64_t>>;

constexpr std::int64_t kMostNewTokens = std::int64_t{1} << 40;  // beyond any memory, and sums with it fit an int64

at::Tensor to_tensor(const std::vector<std::int64_t>& values, at::Device device) {
  return at::tensor(values, at::kLong).to(device);
}

// One batch of prompts on its way: finished rows leave it, so that late steps cost only what is still running.
class RunningBatch {
 public:
  RunningBatch(const Decoder& model, const Prompts& prompts, std::vector<std::size_t> rows,
               const GenerationOptions& options, std::vector<Generation>& results)
      : model_(model), prompts_(prompts), rows_(std::move(rows)), options_(options), results_(results) {}

  void run() {
    KeyValueCache cache(model_.config(), static_cast<std::int64_t>(rows_.size()),
                        longest_prompt() + std::min(options_.max_new_tokens, kMostNewTokens),
                        at::TensorOptions(model_.dtype()).device(model_.device()));
    at::Tensor next = prefill(cache);
    for (std::int64_t step = 1;; ++step) {
      const std::vector<std::int64_t> kept = append(next, step == options_.max_new_tokens);
      if (kept.empty()) return;
      if (kept.size() < static_cast<std::size_t>(next.size(0))) {
        const at::Tensor indices = to_tensor(kept, model_.device());
        next = next.index_select(0, indices);
        cache.select_rows(indices);
      }
      next = choose(model_.hidden_states(next.unsqueeze(-1), options_.listener, &cache).squeeze(1));
    }
  }

 private:
  [[nodiscard]] std::int64_t longest_prompt() const {
    std::size_t longest = 0;
    for (const std::size_t row : rows_) longest = std::max(longest, prompts_[row].size());
    return static_cast<std::int64_t>(longest);
  }

  // All prompts at once, padded on the right; the hidden state after each prompt's last token gives its first choice.
  at::Tensor prefill(KeyValueCache& cache) const {
    const std::int64_t width = longest_prompt();
    std::vector<std::int64_t> padded, lengths;
    for (const std::size_t row : rows_) {
      const std::vector<std::int64_t>& prompt = prompts_[row];
      padded.insert(padded.end(), prompt.begin(), prompt.end());
      padded.resize(padded.size() + static_cast<std::size_t>(width) - prompt.size(), 0);
      lengths.push_back(static_cast<std::int64_t>(prompt.size()));
    }
    const at::Tensor row_lengths = to_tensor(lengths, model_.device());
    const at::Tensor tokens = to_tensor(padded, model_.device()).view({-1, width});
    const at::Tensor hidden = model_.hidden_states(tokens, options_.listener, &cache, row_lengths);
    const at::Tensor last = (row_lengths - 1).view({-1, 1, 1}).expand({-1, 1, hidden.size(-1)});
    return choose(hidden.gather(1, last).squeeze(1));
  }

  [[nodiscard]] at::Tensor choose(const at::Tensor& hidden) const { return model_.logits(hidden).argmax(-1); }

  // Records each row's new token; returns the positions in the batch of the rows that go on.
  std::vector<std::int64_t> append(const at::Tensor& next, bool is_last) {
    const at::Tensor tokens = next.cpu();
    const std::int64_t* token = tokens.const_data_ptr<std::int64_t>();
    std::vector<std::int64_t> kept;
    std::vector<std::size_t> running;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      Generation& result = results_[rows_[i]];
      result.tokens.push_back(token[i]);
      result.stopped =
          std::find(options_.stop_tokens.begin(), options_.stop_tokens.end(), token[i]) != options_.stop_tokens.end();
      if (result.stopped || is_last) continue;
      kept.push_back(static_cast<std::int64_t>(i));
      running.push_back(rows_[i]);
    }
    rows_ = std::move(running);
    return kept;
  }

  const Decoder& model_;
  const Prompts& prompts_;
  std::vector<std::size_t> rows_;
  const GenerationOptions& options_;
  std::vector<Generation>& results_;
};

void require_prompts(const Prompts& prompts, const GenerationOptions& options) {
  for (const auto& prompt : prompts) {
    if (prompt.empty()) throw Error(ExitCode::bad_data, "cannot continue an empty prompt");
  }
  if (options.batch_size < 1) throw Error(ExitCode::config, "generation needs a batch size of at least 1");
}

}  // namespace

std::vector<Generation> generate_greedily(const Decoder& model, const Prompts& prompts,
                                          const GenerationOptions& options) {
  require_prompts(prompts, options);
  std::vector<Generation> results(prompts.size());
  if (options.max_new_tokens < 1) return results;
  const at::NoGradGuard no_gradients;
  std::vector<std::size_t> order(prompts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t left, std::size_t right) { return prompts[left].size() < prompts[right].size(); });
  const auto batch = static_cast<std::size_t>(options.batch_size);
  for (std::size_t begin = 0; begin < order.size(); begin += batch) {
    const std::size_t end = std::min(begin + batch, order.size());
    const auto at_index = [&](std::size_t i) { return order.begin() + static_cast<std::ptrdiff_t>(i); };
    RunningBatch(model, prompts, {at_index(begin), at_index(end)}, options, results).run();
  }
  return results;
}

}  // namespace rim
