#include "data/tokenizer/think_span.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "tests/data/tokenizer/tiny_tokenizer.h"

namespace rim {
namespace {

// Some tokenizers call the tags special tokens, and hide them.
Tokenizer with_special_tags() {
  Json description = testing::tiny_tokenizer();
  for (Json& token : description["added_tokens"]) token["special"] = true;
  return testing::load(description);
}

std::vector<TokenId> encode_literal(const Tokenizer& tokenizer, const std::string& text) {
  const std::array<TextSpan, 1> spans{TextSpan{.text = text, .literal = true}};
  return tokenizer.encode(spans);
}

class ThinkSpan : public ::testing::Test {
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

  Tokenizer tokenizer_ = with_special_tags();
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

}  // namespace
}  // namespace rim
