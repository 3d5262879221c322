#include "trainer/model/key_value_cache.h"

#include "tests/trainer/model/model_test_support.h"

namespace rim {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Json with_window(std::int64_t window) {
  Json config = small_config("mistral");
  config["sliding_window"] = window;
  return config;
}

class CachedDecoder : public testing::TestWithParam<Json> {};

// Two rows of different length, fed in uneven pieces, must see what a pass over the whole row sees.
TEST_P(CachedDecoder, EqualsTheFullForwardPass) {
  const Decoder model = random_decoder(GetParam());
  const std::vector<std::int64_t> prompt_lengths = {3, 6};
  const at::Tensor first = random_tokens(model, 1, 11), second = random_tokens(model, 1, 14);
  KeyValueCache cache(model.config(), 2, 14, at::TensorOptions(at::kFloat));
  const at::Tensor padded = at::cat({at::constant_pad_nd(first.narrow(1, 0, 3), {0, 3}), second.narrow(1, 0, 6)});
  const at::Tensor prefill = model.hidden_states(padded, nullptr, &cache, at::tensor(prompt_lengths));
  const at::Tensor full_first = model.hidden_states(first), full_second = model.hidden_states(second);
  EXPECT_LT(relative_difference(prefill[0].narrow(0, 0, 3), full_first[0].narrow(0, 0, 3)), 1e-5);
  EXPECT_EQ(cache.longest, 6);
  std::int64_t done = 0;
  for (const std::int64_t width : {1, 1, 3, 1, 2}) {
    const at::Tensor tokens = at::cat({first.narrow(1, 3 + done, width), second.narrow(1, 6 + done, width)});
    const at::Tensor hidden = model.hidden_states(tokens, nullptr, &cache);
    EXPECT_LT(relative_difference(hidden[0], full_first[0].narrow(0, 3 + done, width)), 1e-5);
    EXPECT_LT(relative_difference(hidden[1], full_second[0].narrow(0, 6 + done, width)), 1e-5);
    done += width;
  }
  EXPECT_THAT(error_of([&] { model.hidden_states(random_tokens(model, 2, 1), nullptr, &cache); }, ExitCode::software),
              HasSubstr("14 positions"));
}

TEST_P(CachedDecoder, SelectedRowsGoOn) {
  const Decoder model = random_decoder(GetParam());
  const at::Tensor tokens = random_tokens(model, 3, 10);
  KeyValueCache cache(model.config(), 3, 10, at::TensorOptions(at::kFloat));
  model.hidden_states(tokens.narrow(1, 0, 9), nullptr, &cache);
  const at::Tensor kept = at::tensor(std::vector<std::int64_t>{2, 0});
  cache.select_rows(kept);
  const at::Tensor next = model.hidden_states(tokens.index_select(0, kept).narrow(1, 9, 1), nullptr, &cache);
  EXPECT_LT(relative_difference(next, model.hidden_states(tokens).index_select(0, kept).narrow(1, 9, 1)), 1e-5);
}

// Long enough for the cache to grow twice.
TEST_P(CachedDecoder, GrowsWithoutAnyoneNoticing) {
  const Decoder model = random_decoder(GetParam());
  constexpr std::int64_t kTime = 600;
  const at::Tensor tokens = random_tokens(model, 2, kTime), full = model.hidden_states(tokens);
  KeyValueCache cache(model.config(), 2, kTime, at::TensorOptions(at::kFloat));
  std::int64_t done = 0;
  for (const std::int64_t width : {5, 245, 50, 1, 240, 59}) {
    const at::Tensor hidden = model.hidden_states(tokens.narrow(1, done, width), nullptr, &cache);
    EXPECT_LT(relative_difference(hidden, full.narrow(1, done, width)), 1e-5);
    done += width;
    EXPECT_GE(cache.keys.back().size(2), done);
    EXPECT_LE(cache.keys.back().size(2), kTime);
  }
}

TEST(KeyValueCache, SaysWhenMemoryDoesNotSuffice) {
  constexpr std::int64_t kMany = std::int64_t{1} << 61;
  KeyValueCache cache(read_config(small_config()), 3, kMany, at::TensorOptions(at::kFloat));
  EXPECT_THAT(error_of([&] { static_cast<void>(cache.next_positions(kMany)); }, ExitCode::software),
              AllOf(HasSubstr("out of memory"), HasSubstr("3 x 2305843009213693952 tokens")));
}

INSTANTIATE_TEST_SUITE_P(Families, CachedDecoder,
                         testing::Values(small_config("qwen3"), with_window(4), with_window(1)));

}  // namespace
}  // namespace rim
