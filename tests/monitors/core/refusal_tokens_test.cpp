#include "monitors/core/refusal_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/monitors/core/tiny_model.h"

namespace rim {
namespace {

TEST(RefusalTokens, AreWholeWordsAndTheTextsOwn) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "rimscope-refusal-tokens-test";
  const Tokenizer tokenizer = load_byte_tokenizer(folder);
  std::filesystem::remove_all(folder);
  // "I" is a byte and "Sorry" one token; "Unfortunately" falls into bytes, and its "U" says nothing.
  const TokenId i = *tokenizer.token_to_id("I"), sorry = *tokenizer.token_to_id("Sorry");
  EXPECT_THAT(refusal_tokens(tokenizer, "I can't.", "Sure, here is"), testing::ElementsAre(i, sorry));
  const TokenId u = *tokenizer.token_to_id("U");
  EXPECT_THAT(refusal_tokens(tokenizer, "Unable to help.", "Sure"), testing::ElementsAre(i, u, sorry));
  EXPECT_THAT(refusal_tokens(tokenizer, "No.", "I will"), testing::ElementsAre(*tokenizer.token_to_id("N"), sorry));
}

}  // namespace
}  // namespace rim
