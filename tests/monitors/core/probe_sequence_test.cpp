#include "monitors/core/probe_sequence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "data/support/error.h"
#include "monitors/core/token_batches.h"
#include "tests/monitors/core/bare_prompt.h"
#include "tests/monitors/core/tiny_model.h"
#include "tests/shared_data.h"

namespace rim {
namespace {

using testing::ElementsAre;

constexpr ThinkingMode kModes[] = {ThinkingMode::on, ThinkingMode::off, ThinkingMode::empty};

Prompt worked(const std::string& reasoning) {
  Prompt prompt = bare_prompt("p", "What is 2 + 2?");
  prompt.reasoning = reasoning;
  prompt.response = "It is 4.";
  return prompt;
}

std::string text_of(const Tokenizer& tokenizer, const ProbeSequence& sequence, TokenRange range) {
  return tokenizer.decode(
      std::span(sequence.tokens)
          .subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.end - range.begin)),
      false);
}

// In every mode the ranges tile the sequence but for an empty think span between them, and the prompt's tokens are
// those of the prompt rendered alone.
void expect_ranges_fit(const Tokenizer& tokenizer, const ChatTemplate& chat_template) {
  for (const ThinkingMode mode : kModes) {
    for (const char* reasoning : {"", "2 and 2 are 4"}) {
      SCOPED_TRACE(to_string(mode) + " '" + reasoning + "'");
      const Prompt prompt = worked(reasoning);
      const ProbeSequence with = probe_sequence(prompt, mode, true, tokenizer, chat_template);
      const ProbeSequence without = probe_sequence(prompt, mode, false, tokenizer, chat_template);
      EXPECT_EQ(with.prompt, without.prompt) << "whether a response follows must not move the prompt's end";
      const auto length = static_cast<std::size_t>(with.prompt.end);
      EXPECT_THAT(std::vector(with.tokens.begin(), with.tokens.begin() + static_cast<std::ptrdiff_t>(length)),
                  testing::ContainerEq(without.tokens));
      const std::string response = text_of(tokenizer, with, with.response);
      EXPECT_THAT(response, testing::EndsWith("It is 4." + chat_template.end_of_turn()));
      const bool thinks = mode == ThinkingMode::on && *reasoning != '\0';
      EXPECT_EQ(response.find("2 and 2 are 4") != std::string::npos, thinks) << response;
      EXPECT_EQ(response.find("What is"), std::string::npos);
      const std::string between = text_of(tokenizer, with, {.begin = with.prompt.end, .end = with.response.begin});
      EXPECT_EQ(std::regex_replace(between, std::regex("</?think>|\\s"), ""), "") << "only an empty think span";
      EXPECT_EQ(with.response.end, std::ssize(with.tokens));
    }
  }
}

TEST(ProbeSequence, RangesFitChatml) {
  const TinyModel model("rimscope-probe-sequence-test");
  expect_ranges_fit(model.tokenizer, model.chat_template);
  const ProbeSequence sequence =
      probe_sequence(worked("2 and 2 are 4"), ThinkingMode::on, true, model.tokenizer, model.chat_template);
  EXPECT_EQ(text_of(model.tokenizer, sequence, region_range(sequence, TokenRegion::prompt)),
            "<|im_start|>user\nWhat is 2 + 2?<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(text_of(model.tokenizer, sequence, region_range(sequence, TokenRegion::last_prompt)), "\n");
  EXPECT_EQ(text_of(model.tokenizer, sequence, region_range(sequence, TokenRegion::response)),
            "<think>\n2 and 2 are 4\n</think>\n\nIt is 4.<|im_end|>");
}

TEST(ProbeSequence, RangesFitARealTokenizerAndItsTemplate) {
  const auto folder = shared_data("tokenizers/minimind");
  if (!folder) GTEST_SKIP() << "no shared data";
  const Tokenizer tokenizer = Tokenizer::load(*folder);
  expect_ranges_fit(tokenizer, ChatTemplate::detect(*folder, tokenizer));
}

// Qwen3-Thinking-2507's prompts open the thought, and its tokenizer joins line breaks, so that "<think>\n" does not
// begin the tokens of "<think>\n\n</think>".
TEST(ProbeSequence, AThoughtThatThePromptOpensIsClosedWithoutReasoning) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "rimscope-probe-sequence-opened";
  std::filesystem::create_directories(folder);
  Json file = byte_tokenizer_json();
  file["model"]["vocab"][byte_spelling('\n') + byte_spelling('\n')] = 260;
  for (Json& token : file["added_tokens"]) token["id"] = token["id"].get<int>() + 1;
  file["model"]["merges"].push_back(byte_spelling('\n') + " " + byte_spelling('\n'));
  write_file_atomically(folder / "tokenizer.json", file.dump());
  const Tokenizer tokenizer = Tokenizer::load(folder);
  ChatVariant variant;
  variant.thinking = ChatVariant::Thinking::last_answer;
  variant.opens_thinking = true;
  const ChatTemplate chat{variant};
  expect_ranges_fit(tokenizer, chat);
  const ProbeSequence sequence = probe_sequence(worked(""), ThinkingMode::on, true, tokenizer, chat);
  EXPECT_THAT(text_of(tokenizer, sequence, sequence.prompt), testing::EndsWith("<|im_start|>assistant\n<think>\n"));
  EXPECT_EQ(text_of(tokenizer, sequence, {.begin = sequence.prompt.end, .end = sequence.response.begin}),
            "\n</think>\n\n");
}

TEST(ProbeSequence, EarlierTurnsStandBeforeTheRequest) {
  const TinyModel model("rimscope-probe-sequence-test");
  Prompt prompt = worked("");
  prompt.before = {{"system", "Be brief.", ""}, {"user", "Hi", ""}, {"assistant", "\nHello", ""}};
  const ProbeSequence sequence = probe_sequence(prompt, ThinkingMode::off, true, model.tokenizer, model.chat_template);
  EXPECT_EQ(text_of(model.tokenizer, sequence, sequence.prompt),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n\nHello"
            "<|im_end|>\n<|im_start|>user\nWhat is 2 + 2?<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n");
  EXPECT_EQ(text_of(model.tokenizer, sequence, sequence.response), "It is 4.<|im_end|>");
}

TEST(ProbeSequence, TextOfAPromptNeverEndsATurn) {
  const TinyModel model("rimscope-probe-sequence-test");
  const ProbeSequence sequence =
      probe_sequence(bare_prompt("p", "<|im_end|>"), ThinkingMode::on, false, model.tokenizer, model.chat_template);
  EXPECT_EQ(std::ranges::count(sequence.tokens, *model.tokenizer.token_to_id("<|im_end|>")), 1);
}

TEST(TokenBatches, DealEveryPromptOnceAndSimilarLoadToEachRank) {
  const std::vector<std::int64_t> lengths{5, 1, 9, 1, 7, 3, 8};
  EXPECT_THAT(dealt_to_rank(lengths, 0, 3), ElementsAre(1, 0, 2));
  EXPECT_THAT(dealt_to_rank(lengths, 1, 3), ElementsAre(3, 4));
  EXPECT_THAT(dealt_to_rank(lengths, 2, 3), ElementsAre(5, 6));
  EXPECT_TRUE(dealt_to_rank({4}, 1, 2).empty());
}

TEST(TokenBatches, PaddedTokensStayWithinTheLimit) {
  const std::vector<std::int64_t> lengths{1, 2, 2, 5, 6, 50};
  EXPECT_THAT(cut_into_batches({0, 1, 2, 3, 4, 5}, lengths, 12),
              ElementsAre(ElementsAre(0, 1, 2), ElementsAre(3, 4), ElementsAre(5)));
}

TEST(TokenBatches, PadOnTheRight) {
  const std::vector<TokenId> one{7}, three{1, 2, 3};
  const at::Tensor padded = right_padded({&one, &three}, at::kCPU);
  EXPECT_EQ(padded.sizes().vec(), (std::vector<std::int64_t>{2, 3}));
  const auto* values = padded.const_data_ptr<std::int64_t>();
  EXPECT_THAT(std::vector<std::int64_t>(values, values + 6), ElementsAre(7, 0, 0, 1, 2, 3));
}

}  // namespace
}  // namespace rim
