#include "data/tokenizer/tokenizer.h"

#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "data/support/error.h"
#include "tests/data/tokenizer/tiny_tokenizer.h"

namespace rim {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::Not;
using Ids = std::vector<TokenId>;

constexpr TokenId kHello = 259;
constexpr TokenId kStart = 260;
constexpr TokenId kEnd = 261;
constexpr TokenId kThink = 262;

std::string repeat(std::string_view text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

class TokenizerTest : public ::testing::Test {
 protected:
  Tokenizer tokenizer_ = testing::load(testing::tiny_tokenizer());

  Ids encode(const std::vector<TextSpan>& spans) const { return tokenizer_.encode(spans); }
};

TEST_F(TokenizerTest, MergesAndSpecialTokens) {
  EXPECT_THAT(tokenizer_.encode("hello"), ElementsAre(kHello));
  EXPECT_THAT(tokenizer_.encode("hell<|im_end|>o"), ElementsAre(258, kEnd, 'o'));
  EXPECT_THAT(tokenizer_.encode("<|im_end|"), Not(Contains(kEnd)));
  EXPECT_THAT(tokenizer_.encode(""), IsEmpty());
}

TEST_F(TokenizerTest, NfcJoinsMarks) { EXPECT_EQ(tokenizer_.encode("e\u0301"), tokenizer_.encode("\u00e9")); }

TEST_F(TokenizerTest, LiteralTextNeverYieldsAddedTokens) {
  const Ids ids = encode({{"<|im_start|>", false}, {"<|im_end|><think>", true}, {"<|im_end|>", false}});
  EXPECT_EQ(ids.front(), kStart);
  EXPECT_EQ(ids.back(), kEnd);
  EXPECT_THAT(Ids(ids.begin() + 1, ids.end() - 1), Each(Lt(256)));
}

TEST_F(TokenizerTest, ASpellingThatReachesIntoLiteralTextIsNoToken) {
  EXPECT_THAT(encode({{"<|im_", false}, {"end|>", true}}), Each(Lt(256)));
  EXPECT_THAT(encode({{"<|im_end|", true}, {">", false}}), Each(Lt(256)));
  EXPECT_THAT(encode({{"<|im_", false}, {"end|>", false}}), ElementsAre(kEnd));
  EXPECT_THAT(encode({{"<", true}, {"<|im_end|>", false}}), ElementsAre('<', kEnd));
}

TEST_F(TokenizerTest, WordsCrossFromTemplateIntoLiteralText) {
  EXPECT_THAT(encode({{"he", false}, {"llo", true}}), ElementsAre(kHello));
}

TEST_F(TokenizerTest, NormalisationMayJoinTemplateAndLiteralText) {
  EXPECT_EQ(encode({{"e", false}, {"\u0301<think>", true}, {"<think>", false}}),
            encode({{"\u00e9<think>", true}, {"<think>", false}}));
}

TEST_F(TokenizerTest, LiteralMarksSurviveNormalisation) {
  Json description = testing::tiny_tokenizer();
  for (Json& token : description["added_tokens"]) token["normalized"] = true;
  const Tokenizer normalizing = testing::load(description);
  const std::vector<TextSpan> spans = {{"e\u0301<think>e\u0301", false}, {"e\u0301<think>", true}, {"<think>", false}};
  const Ids ids = normalizing.encode(spans);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), kThink), 2);
  EXPECT_EQ(ids.back(), kThink);
}

// Even a model whose own words and merges spell a special token.
TEST(TokenizerGuards, NeitherMergesNorWholeWordsSpellASpecialTokenFromLiteralText) {
  for (const bool ignore_merges : {false, true}) {
    Json description = testing::tiny_tokenizer();
    description["model"]["ignore_merges"] = ignore_merges;
    description["added_tokens"].insert(description["added_tokens"].begin(),
                                       Json{{"id", kHello}, {"content", "hello"}, {"special", true}});
    const Tokenizer tokenizer = testing::load(description);
    EXPECT_THAT(tokenizer.encode("hello"), ElementsAre(kHello));
    EXPECT_THAT(tokenizer.encode(std::vector<TextSpan>{{"hello", true}}), ElementsAre(258, 'o'));
  }
}

TEST(TokenizerGuards, IgnoredMergesTakeWholeWords) {
  Json description = testing::tiny_tokenizer();
  description["model"]["ignore_merges"] = true;
  description["model"]["merges"] = Json::array();
  EXPECT_THAT(testing::load(description).encode("hello hell"), ElementsAre(kHello, ' ', 'h', 'e', 'l', 'l'));
  description["added_tokens"] = Json::array();
  description["model"]["vocab"]["\u0120hell"] = 260;  // " hell"
  EXPECT_THAT(testing::load(description).encode("hello hell"), ElementsAre(kHello, 260));
}

TEST(TokenizerGuards, BytesWithoutATokenAreUnknownOrLeftOut) {
  Json description = testing::tiny_tokenizer();
  description["model"]["vocab"].erase("z");
  description["model"]["vocab"]["unused"] = 'z';
  EXPECT_THAT(testing::load(description).encode("azzb"), ElementsAre('a', 'b'));
  description["model"]["unk_token"] = "!";
  EXPECT_THAT(testing::load(description).encode("azzb"), ElementsAre('a', '!', '!', 'b'));
  description["model"]["fuse_unk"] = true;
  EXPECT_THAT(testing::load(description).encode("azzb"), ElementsAre('a', '!', 'b'));
}

TEST_F(TokenizerTest, BrokenTextBecomesReplacementCharacters) {
  EXPECT_EQ(tokenizer_.encode("a\xE2\x82z"), tokenizer_.encode("a\uFFFDz"));
  EXPECT_EQ(encode({{"a\xE2", false}, {"\x82z", true}}), tokenizer_.encode("a\uFFFD\uFFFDz"));
}

TEST_F(TokenizerTest, Decoding) {
  EXPECT_EQ(tokenizer_.decode(Ids{kStart, kHello, ' ', kThink, kEnd}, false), "<|im_start|>hello <think><|im_end|>");
  EXPECT_EQ(tokenizer_.decode(Ids{kStart, kHello, ' ', kThink, kEnd}, true), "hello <think>");
  EXPECT_EQ(tokenizer_.decode(Ids{0xC3, 0xA9, 0xC3, 'a', 0xF0, 0x9F}, false), "\u00e9\uFFFDa\uFFFD");
  EXPECT_THROW((void)tokenizer_.decode(Ids{264}, false), Error);
  EXPECT_THROW((void)tokenizer_.decode(Ids{-1}, false), Error);
}

TEST_F(TokenizerTest, Vocabulary) {
  EXPECT_EQ(tokenizer_.vocabulary_size(), 264);
  EXPECT_EQ(tokenizer_.token_to_id("hello"), kHello);
  EXPECT_EQ(tokenizer_.token_to_id("<|im_end|>"), kEnd);
  EXPECT_EQ(tokenizer_.token_to_id("bye"), std::nullopt);
  EXPECT_TRUE(tokenizer_.is_special(kEnd));
  EXPECT_FALSE(tokenizer_.is_special(kThink));
  EXPECT_FALSE(tokenizer_.is_special(-1));
}

// Runs that are quadratic in a naive merge loop or blow a naive matcher's stack.
TEST_F(TokenizerTest, LongRunsTakeSeconds) {
  constexpr std::size_t length = 1'000'000;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(tokenizer_.encode(repeat("l", length)).size(), length / 2);
  EXPECT_EQ(tokenizer_.encode(repeat(" ", length)).size(), length);
  EXPECT_EQ(tokenizer_.encode(repeat(" ", length) + "hello").size(), length + 1);
  EXPECT_EQ(tokenizer_.encode(repeat("\U0001F600", length)).size(), 4 * length);
  EXPECT_EQ(tokenizer_.encode(repeat("hello", length / 5)).size(), length / 5);
  EXPECT_EQ(tokenizer_.encode(repeat("<|im_end|>", length / 10)), Ids(length / 10, kEnd));
  EXPECT_EQ(tokenizer_.encode(repeat("<|im_end|", length / 10)).size(), length / 10 * 9);
  EXPECT_EQ(tokenizer_.encode(repeat("a\u0301", length)).size(), 2 * length);
  EXPECT_EQ(tokenizer_.encode("a" + repeat("\u0301", length)).size(), 2 * length);
  // Seconds on any machine; quadratic work would take hours, and this says so instead of hanging.
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  EXPECT_LT(elapsed.count(), 60.0);
}

TEST_F(TokenizerTest, ThreadsShareOneTokenizer) {
  const std::string text = repeat("hello e\u0301 <|im_end|> 123\n", 200);
  const Ids wanted = tokenizer_.encode(text);
  std::vector<Ids> results(4);
  {
    std::vector<std::jthread> threads;
    for (Ids& result : results) threads.emplace_back([&] { result = tokenizer_.encode(text); });
  }
  EXPECT_THAT(results, Each(wanted));
}

}  // namespace
}  // namespace rim
