#include "data/examples/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/support/error.h"
#include "tests/data/examples/byte_tokenizer.h"

namespace rim {
namespace {

constexpr TokenId kEndOfText = 257;

class BuildSamples : public testing::Test {
 protected:
  static const ByteTokenizer& bytes() {
    static const ByteTokenizer kBytes(std::filesystem::path(testing::TempDir()) / "rimscope-byte-tokenizer-sample");
    return kBytes;
  }
  std::vector<Sample> build(const Example& example, SampleOptions options = {}) {
    return build_samples({example}, bytes().tokenizer, bytes().chat, kEndOfText, options, statistics_);
  }
  static Example chat(std::vector<Message> messages, std::size_t given = 0) {
    Example example;
    example.messages = std::move(messages);
    example.trained.assign(example.messages.size(), 1);
    std::fill_n(example.trained.begin(), given, 0);
    example.origin = "file.jsonl:7";
    return example;
  }
  static Example plain(const std::string& prompt, const std::string& completion) {
    Example example;
    example.prompt = prompt;
    example.completion = completion;
    example.origin = "file.jsonl:9";
    return example;
  }
  static std::string text(const Sample& sample) { return bytes().tokenizer.decode(sample.tokens, false); }
  // The trained tokens' text, "|" between runs.
  static std::string trained(const Sample& sample) {
    std::string runs;
    for (std::size_t i = 0; i < sample.tokens.size(); ++i) {
      if (sample.trained[i] != 0) {
        if (i > 0 && sample.trained[i - 1] == 0 && !runs.empty()) runs += "|";
        runs += bytes().tokenizer.decode({{sample.tokens[i]}}, false);
      }
    }
    return runs;
  }
  SampleStatistics statistics_;
};

TEST_F(BuildSamples, TrainsAssistantTurnsAndTheirEndOnly) {
  const auto samples = build(chat({{"system", "s", ""}, {"user", "u", ""}, {"assistant", "yes", "why"}}));
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_THAT(text(samples[0]),
              testing::HasSubstr(
                  "<|im_start|>user\nu<|im_end|>\n<|im_start|>assistant\n<think>\nwhy\n</think>\n\nyes<|im_end|>"));
  EXPECT_EQ(trained(samples[0]), "<think>\nwhy\n</think>\n\nyes<|im_end|>");
  EXPECT_EQ(samples[0].origin, "file.jsonl:7");
  EXPECT_EQ(statistics_.samples, 1);
  EXPECT_EQ(statistics_.tokens, std::ssize(samples[0].tokens));
  EXPECT_EQ(statistics_.trained_tokens, std::ranges::count(samples[0].trained, 1));
}

TEST_F(BuildSamples, EmptyThinkSpanIsNotTrained) {
  EXPECT_EQ(trained(build(chat({{"user", "u", ""}, {"assistant", "yes", ""}}))[0]), "yes<|im_end|>");
  SampleOptions off;
  off.thinking = ThinkingMode::off;
  EXPECT_EQ(trained(build(chat({{"user", "u", ""}, {"assistant", "yes", "why"}}), off)[0]), "yes<|im_end|>");
}

TEST_F(BuildSamples, GivenTurnsAreContext) {
  const std::vector<Message> turns = {
      {"user", "a", ""}, {"assistant", "b", ""}, {"user", "c", ""}, {"assistant", "d", ""}};
  EXPECT_EQ(trained(build(chat(turns))[0]), "b<|im_end|>|d<|im_end|>");
  EXPECT_EQ(trained(build(chat(turns, 3))[0]), "d<|im_end|>");
  Example first_only = chat(turns);
  first_only.trained[3] = 0;
  EXPECT_EQ(trained(build(first_only)[0]), "b<|im_end|>");
}

TEST_F(BuildSamples, SpecialSpellingsInDataStayPlainText) {
  const auto samples = build(chat({{"user", "<|im_end|>", ""}, {"assistant", "x", ""}}));
  EXPECT_EQ(std::ranges::count(samples[0].tokens, *bytes().tokenizer.token_to_id("<|im_end|>")), 2);
}

TEST_F(BuildSamples, PlainPairsAreJoinedAndEnded) {
  const auto samples = build(plain("Q: ", "yes"));
  EXPECT_EQ(text(samples[0]), "Q: yes<|endoftext|>");
  EXPECT_EQ(trained(samples[0]), "yes<|endoftext|>");
  EXPECT_EQ(text(build(plain("Q", "yes<|endoftext|>"))[0]), "Qyes<|endoftext|>");
}

TEST_F(BuildSamples, PlainPairsBeginWithTheTokenizersStartToken) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "rimscope-byte-tokenizer-start";
  Json file = read_json_file(write_byte_tokenizer(folder) / "tokenizer.json");
  file["post_processor"] = {
      {"type", "RobertaProcessing"}, {"sep", {"<|im_end|>", 259}}, {"cls", {"<|endoftext|>", 257}}};
  std::ofstream(folder / "tokenizer.json") << file.dump();
  const ByteTokenizer start(folder, Tokenizer::load(folder));
  const auto build_with_start = [&](const Example& example) {
    return build_samples({example}, start.tokenizer, start.chat, 259, {}, statistics_)[0];
  };
  const Sample sample = build_with_start(plain("Q: ", "yes"));
  EXPECT_EQ(text(sample), "<|endoftext|>Q: yes<|im_end|>");
  EXPECT_EQ(trained(sample), "yes<|im_end|>");
  EXPECT_EQ(trained(build_with_start(plain("", "yes"))), "yes<|im_end|>");  // its first token has one before it now
  EXPECT_THAT(text(build_with_start(plain("<|endoftext|>Q", "A"))), testing::StartsWith("<|endoftext|><|endoftext|>Q"));
  EXPECT_THAT(text(build_with_start(chat({{"user", "u", ""}, {"assistant", "a", ""}}))),
              testing::StartsWith("<|im_start|>user"));
}

TEST_F(BuildSamples, NoTokenStraddlesTheBorderOfAPlainPair) {
  const auto samples = build(plain("xa", "bc"));
  EXPECT_EQ(text(samples[0]), "xabc<|endoftext|>");
  EXPECT_EQ(trained(samples[0]), "bc<|endoftext|>");
  EXPECT_EQ(samples[0].tokens.size(), 5U);
}

TEST_F(BuildSamples, TheFirstTokenCannotBeTrained) {
  EXPECT_EQ(trained(build(plain("", "yes"))[0]), "es<|endoftext|>");
}

TEST_F(BuildSamples, LongSamplesAreCutAndCounted) {
  SampleOptions options;
  options.max_length = 5;
  EXPECT_EQ(text(build(plain("Q: ", "yes"), options)[0]), "Q: ye");
  EXPECT_EQ(statistics_.truncated, 1);
  EXPECT_EQ(statistics_.trained_tokens, 2);
  EXPECT_TRUE(build(plain("a long prompt", "yes"), options).empty());
  EXPECT_EQ(statistics_.truncated, 2);
  EXPECT_EQ(statistics_.dropped, 1);
  EXPECT_EQ(statistics_.samples, 1);
}

TEST_F(BuildSamples, AnEmptyMaskNamesItsLine) {
  for (const Example& example :
       {chat({{"user", "only", ""}}), plain("Q", ""), plain("Q", " \n"),
        chat({{"user", "a", ""}, {"assistant", "b", ""}}, 2), chat({{"user", "a", ""}, {"assistant", "", ""}}),
        chat({{"user", "a", ""}, {"assistant", " ", ""}, {"user", "b", ""}, {"assistant", "c", ""}})}) {
    try {
      build(example);
      FAIL() << example.origin;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data);
      EXPECT_THAT(error.what(), testing::HasSubstr(example.origin + ": nothing to train on"));
    }
  }
}

TEST_F(BuildSamples, AThoughtIsTextUnlessItIsDropped) {
  const Example thought = chat({{"user", "a", ""}, {"assistant", "", "why"}});
  EXPECT_EQ(trained(build(thought)[0]), "<think>\nwhy\n</think>\n\n<|im_end|>");
  EXPECT_THROW(build(thought, {.max_length = 1024, .thinking = ThinkingMode::off}), Error);
  const Example context =
      chat({{"user", "a", ""}, {"assistant", "", ""}, {"user", "b", ""}, {"assistant", "c", ""}}, 2);
  EXPECT_EQ(trained(build(context)[0]), "c<|im_end|>");  // what is only read may be empty
}

}  // namespace
}  // namespace rim
