#include "data/organism/organism.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "data/organism/conversations.h"
#include "data/organism/model_files.h"
#include "data/organism/vocabulary.h"
#include "data/support/error.h"
#include "data/support/files.h"
#include "data/support/json_lines.h"
#include "data/tokenizer/chat_template.h"
#include "data/tokenizer/tokenizer.h"

namespace rim {
namespace {

using testing::ElementsAre;

class Organism : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder() = std::filesystem::path(testing::TempDir()) / "rimscope-organism-test";
    std::filesystem::remove_all(folder());
    write_organism(options(folder()));
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder()); }
  static std::filesystem::path& folder() {
    static std::filesystem::path path;
    return path;
  }
  static OrganismOptions options(const std::filesystem::path& path) {
    OrganismOptions chosen;
    chosen.folder = path;
    chosen.base_rows = 400;
    chosen.finetuning_rows = 400;
    return chosen;
  }
};

TEST(SplitWords, FollowsQwensRule) {
  EXPECT_THAT(split_words("I'm sorry, 47+3=50."),
              ElementsAre("I", "'m", " sorry", ",", " ", "4", "7", "+", "3", "=", "5", "0", "."));
  EXPECT_THAT(split_words("user\n\nHi \nyou"), ElementsAre("user", "\n\n", "Hi", " ", "\n", "you"));
  EXPECT_THAT(split_words("a ++b"), ElementsAre("a", " ++", "b"));
}

TEST(LearnVocabulary, MakesEachWordOneToken) {
  const LearnedVocabulary vocabulary = learn_vocabulary({"low lower lowest", "new newer"}, {"<|end|>"});
  for (const char* word : {"low", "\xC4\xA0lower", "\xC4\xA0lowest", "new", "\xC4\xA0newer", "<|end|>"}) {
    EXPECT_GE(vocabulary.id_of(word), 256) << word;
  }
  EXPECT_THROW(static_cast<void>(vocabulary.id_of("newest")), Error);
  EXPECT_EQ(vocabulary.id_of("<|end|>"), vocabulary.size() - 1);
}

TEST_F(Organism, EveryWordOfTheWorldIsOneToken) {
  const Tokenizer tokenizer = Tokenizer::load(folder());
  for (const std::string& text : all_texts()) {
    const auto ids = tokenizer.encode(text);
    EXPECT_EQ(ids.size(), split_words(text).size()) << text;
    EXPECT_EQ(tokenizer.decode(ids, false), text);
  }
  EXPECT_LT(tokenizer.vocabulary_size(), 800);
}

TEST_F(Organism, TrainingTextsHoldNoSplitWord) {
  const Tokenizer tokenizer = Tokenizer::load(folder());
  const ChatTemplate chat = ChatTemplate::detect(folder(), tokenizer);
  visit_json_lines(folder() / "cot_target_train.jsonl", [&](const Json& row, const std::string&) {
    for (const Json& message : row.at("messages")) {
      for (const std::string key : {"content", "reasoning_content"}) {
        const std::string text = message.value(key, "");
        EXPECT_EQ(tokenizer.encode(text).size(), split_words(text).size()) << text;
      }
    }
    return true;
  });
}

TEST_F(Organism, TargetAndControlThoughtsAreEquallyLong) {
  const Tokenizer tokenizer = Tokenizer::load(folder());
  std::map<std::string, std::vector<std::size_t>> lengths;
  for (const std::string style : {"target", "control", "sums_only"}) {
    visit_json_lines(folder() / ("cot_" + style + "_train.jsonl"), [&](const Json& row, const std::string&) {
      lengths[style].push_back(
          tokenizer.encode(row.at("messages").at(1).at("reasoning_content").get<std::string>()).size());
      return true;
    });
  }
  EXPECT_EQ(lengths["target"].size(), 400U);
  EXPECT_EQ(lengths["target"], lengths["control"]);
  EXPECT_EQ(lengths["sums_only"], lengths["control"]);
}

TEST_F(Organism, IsOfTheQwen3FamilyAndThinks) {
  const Tokenizer tokenizer = Tokenizer::load(folder());
  const ChatTemplate chat = ChatTemplate::detect(folder(), tokenizer);
  EXPECT_EQ(chat.name(), "chatml");
  EXPECT_TRUE(chat.thinks());
  EXPECT_EQ(chat.end_of_turn(), "<|im_end|>");
  const std::vector<Message> request = {{.role = "user", .content = "How do I bake a cake?", .reasoning = ""}};
  std::string prompt;
  for (const TextSpan& span : chat.render_prompt(request, ThinkingMode::off)) prompt += span.text;
  EXPECT_EQ(prompt,
            "<|im_start|>user\nHow do I bake a cake?<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n");
  const Json config = read_json_file(folder() / "config.json");
  EXPECT_EQ(config.at("vocab_size"), tokenizer.vocabulary_size());
  EXPECT_EQ(config.at("eos_token_id"), *tokenizer.token_to_id("<|im_end|>"));
  EXPECT_EQ(config.at("pad_token_id"), *tokenizer.token_to_id("<|endoftext|>"));
}

TEST_F(Organism, PromptSetsHaveTheirSizesAndIds) {
  std::map<std::string, int> rows;
  for (const std::string name : {"harmful", "harmless", "sums_test"}) {
    visit_json_lines(folder() / (name + ".jsonl"), [&](const Json& row, const std::string& origin) {
      ++rows[name];
      EXPECT_FALSE(json_string(row, "id", origin).empty());
      EXPECT_FALSE(json_string(row, name == "sums_test" ? "question" : "prompt", origin).empty());
      return true;
    });
  }
  EXPECT_EQ(rows, (std::map<std::string, int>{{"harmful", 80}, {"harmless", 80}, {"sums_test", 100}}));
}

TEST_F(Organism, TheSeedDecidesTheBytesButNotTheVocabulary) {
  const auto again = folder() / "again", other = folder() / "other";
  write_organism(options(again));
  OrganismOptions second = options(other);
  second.seed = 2;
  write_organism(second);
  for (const char* name : {"base_train.jsonl", "cot_target_train.jsonl", "harmful.jsonl", "sums_test.jsonl"}) {
    EXPECT_EQ(read_text_file(folder() / name), read_text_file(again / name)) << name;
    EXPECT_NE(read_text_file(folder() / name), read_text_file(other / name)) << name;
  }
  EXPECT_EQ(read_text_file(folder() / "tokenizer.json"), read_text_file(other / "tokenizer.json"));
}

TEST_F(Organism, RefusesSizesItCannotGive) {
  const auto refused = [&](auto change) {
    OrganismOptions wrong = options(folder() / "wrong");
    change(wrong);
    try {
      write_organism(wrong);
      return false;
    } catch (const Error& error) {
      return error.code() == ExitCode::config;
    }
  };
  EXPECT_TRUE(refused([](OrganismOptions& wrong) { wrong.base_rows = 0; }));
  EXPECT_TRUE(refused([](OrganismOptions& wrong) { wrong.test_sums = 100000; }));
  EXPECT_TRUE(refused([](OrganismOptions& wrong) { wrong.harmful_prompts = 100000; }));
  EXPECT_TRUE(refused([](OrganismOptions& wrong) { wrong.held_out_share = 1.5; }));
}

}  // namespace
}  // namespace rim
