#include "monitors/core/think_span.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/support/error.h"
#include "monitors/core/refusal_tokens.h"
#include "tests/monitors/core/tiny_model.h"

namespace rim {
namespace {

class ThinkSpan : public testing::Test {
 protected:
  // Tokens before the answer, and the answer's text.
  std::optional<std::string> answer(const std::string& text) {
    const auto tokens = tokenizer_.encode(text);
    const auto start = answer_start(tokenizer_, tokens);
    if (!start) return std::nullopt;
    return tokenizer_.decode(std::span(tokens).subspan(*start), false);
  }
  // Spelled out in plain characters, as a tokenizer without the special tokens would.
  std::optional<std::string> answer_spelled(const std::string& text) {
    const auto tokens = encode_literal(tokenizer_, text);
    const auto start = answer_start(tokenizer_, tokens);
    if (!start) return std::nullopt;
    return tokenizer_.decode(std::span(tokens).subspan(*start), false);
  }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / "rimscope-think-span-test";
  Tokenizer tokenizer_ = load_byte_tokenizer(folder_);
};

TEST_F(ThinkSpan, AnswerBeginsAfterTheClosedSpan) {
  EXPECT_EQ(answer("<think>\nwell\n</think>\n\nNo."), "No.");
  EXPECT_EQ(answer("<think>\n\n</think>\n\nNo."), "No.");
  EXPECT_EQ(answer("<think>well</think>No."), "No.");
  EXPECT_EQ(answer("No."), "No.");
  EXPECT_EQ(answer(""), "");
  EXPECT_EQ(answer("<think>well</think>\n"), "");
  EXPECT_EQ(answer("well\n</think>\n\nNo."), "No.") << "a span that the prompt opened";
  EXPECT_EQ(answer("<think>\nwell, I"), std::nullopt);
}

TEST_F(ThinkSpan, TagsMayBeSpelledOut) {
  EXPECT_EQ(answer_spelled("<think>\nwell\n</think>\n\nNo."), "No.");
  EXPECT_EQ(answer_spelled("<think>\nwell </thin"), std::nullopt);
}

TEST_F(ThinkSpan, TagsStayVisibleAndOtherSpecialTokensDoNot) {
  const auto tokens = tokenizer_.encode("<think>\nwell</think>\n\nNo.<|im_end|>");
  EXPECT_EQ(visible_text(tokenizer_, tokens), "<think>\nwell</think>\n\nNo.");
  EXPECT_EQ(visible_text(tokenizer_, {}), "");
}

TEST_F(ThinkSpan, SeesATagThatThePromptEndsWith) {
  const auto count = [&](const std::string& prompt) {
    return opening_tag_tokens(tokenizer_, tokenizer_.encode(prompt));
  };
  EXPECT_EQ(count("<|im_start|>assistant\n<think>\n"), 2U);
  EXPECT_EQ(count("<think>"), 1U);
  EXPECT_EQ(count("<|im_start|>assistant\n"), 0U);
  EXPECT_EQ(count("<|im_start|>assistant\n<think>\n\n</think>\n\n"), 0U) << "a closed span opens nothing";
  EXPECT_EQ(count(""), 0U);
  EXPECT_EQ(opening_tag_tokens(tokenizer_, encode_literal(tokenizer_, "x<think>\n")), 8U) << "spelled out";
}

TEST_F(ThinkSpan, IdsOfAPaddedVocabularyHaveNoText) {
  const TokenId beyond = tokenizer_.vocabulary_size() + 3;
  const std::vector<TokenId> tokens{*tokenizer_.token_to_id("<think>"), beyond, *tokenizer_.token_to_id("</think>"),
                                    beyond, *tokenizer_.token_to_id("I")};
  EXPECT_EQ(visible_text(tokenizer_, tokens), "<think></think>I");
  EXPECT_EQ(answer_start(tokenizer_, tokens), 3U);
}

TEST_F(ThinkSpan, RefusalTokensAreWholeWordsAndTheTextsOwn) {
  // "I" is a byte and "Sorry" one token; "Unfortunately" falls into bytes, and its "U" says nothing.
  const TokenId i = *tokenizer_.token_to_id("I"), sorry = *tokenizer_.token_to_id("Sorry");
  EXPECT_THAT(refusal_tokens(tokenizer_, "I can't.", "Sure, here is"), testing::ElementsAre(i, sorry));
  const TokenId u = *tokenizer_.token_to_id("U");
  EXPECT_THAT(refusal_tokens(tokenizer_, "Unable to help.", "Sure"), testing::ElementsAre(i, u, sorry));
  EXPECT_THAT(refusal_tokens(tokenizer_, "No.", "I will"), testing::ElementsAre(*tokenizer_.token_to_id("N"), sorry));
}

}  // namespace
}  // namespace rim
