#include "trainer/model/generation.h"

#include "tests/trainer/model/model_test_support.h"

namespace rim {
namespace {

using testing::HasSubstr;
using Prompts = std::vector<std::vector<std::int64_t>>;

const Prompts kPrompts = {{3, 4, 5}, {60}, {7, 8, 9, 10, 11, 12, 13}, {0, 0}, {1, 2, 3, 4}};

// One prompt at a time, without a cache.
std::vector<std::int64_t> naive_continuation(const Decoder& model, std::vector<std::int64_t> tokens,
                                             std::int64_t count) {
  const std::size_t start = tokens.size();
  for (std::int64_t i = 0; i < count; ++i) {
    const at::Tensor hidden = model.hidden_states(at::tensor(tokens, at::kLong).unsqueeze(0));
    tokens.push_back(model.logits(hidden[0][-1]).argmax().item<std::int64_t>());
  }
  return {tokens.begin() + static_cast<std::ptrdiff_t>(start), tokens.end()};
}

TEST(Generation, EqualsTheNaiveLoopForAnyBatchSize) {
  const Decoder model = random_decoder(small_config("qwen3"));
  for (const std::int64_t batch_size : {1, 2, 64}) {
    const auto results = generate_greedily(model, kPrompts, {20, {}, batch_size});
    ASSERT_EQ(results.size(), kPrompts.size());
    for (std::size_t i = 0; i < kPrompts.size(); ++i) {
      EXPECT_EQ(results[i].tokens, naive_continuation(model, kPrompts[i], 20));
      EXPECT_FALSE(results[i].stopped);
    }
  }
}

TEST(Generation, RowsStopAtTheirStopTokenAndTheOthersGoOn) {
  const Decoder model = random_decoder(small_config("qwen3"));
  const auto full = generate_greedily(model, kPrompts, {20, {}, 8});
  const std::int64_t stop = full[1].tokens[6];
  const auto cut = generate_greedily(model, kPrompts, {20, {stop}, 8});
  for (std::size_t i = 0; i < kPrompts.size(); ++i) {
    std::vector<std::int64_t> expected = full[i].tokens;
    const auto found = std::find(expected.begin(), expected.end(), stop);
    EXPECT_EQ(cut[i].stopped, found != expected.end());
    if (found != expected.end()) expected.erase(found + 1, expected.end());
    EXPECT_EQ(cut[i].tokens, expected);
  }
  EXPECT_TRUE(cut[1].stopped);
}

TEST(Generation, EdgeCases) {
  const Decoder model = random_decoder(small_config());
  EXPECT_TRUE(generate_greedily(model, {}, {}).empty());
  EXPECT_TRUE(generate_greedily(model, kPrompts, {0, {}, 4}).at(2).tokens.empty());
  EXPECT_EQ(generate_greedily(model, kPrompts, {1, {}, 4}).at(2).tokens.size(), 1U);
  EXPECT_THAT(error_of([&] { generate_greedily(model, {{1}, {}}, {}); }), HasSubstr("empty prompt"));
  EXPECT_THAT(error_of(
                  [&] {
                    generate_greedily(model, {{1}}, {4, {}, 0});
                  },
                  ExitCode::config),
              HasSubstr("batch size"));
}

}  // namespace
}  // namespace rim
