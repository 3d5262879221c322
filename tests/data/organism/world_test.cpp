#include "data/organism/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>

#include "data/organism/conversations.h"
#include "data/organism/splits.h"
#include "data/support/error.h"

namespace rim {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string phrase(const Action& action) { return action.verb + " " + action.object; }

std::set<std::string> phrases(const std::vector<Action>& actions) {
  std::set<std::string> all;
  for (const Action& action : actions) all.insert(phrase(action));
  return all;
}

TEST(World, EveryActionIsThereOnceAndOfOneKind) {
  const std::vector<Action> actions = all_actions();
  EXPECT_EQ(phrases(actions).size(), actions.size());
  EXPECT_GT(std::ranges::count(actions, true, &Action::harmful), 100);
  EXPECT_GT(std::ranges::count(actions, false, &Action::harmful), 100);
}

TEST(World, EveryHarmlessActionHasAnAnswerAndNoHarmfulOneDoes) {
  for (const Action& action : all_actions()) {
    if (action.harmful) {
      EXPECT_THROW(helpful_text(action), Error) << phrase(action);
    } else {
      EXPECT_THAT(helpful_text(action), testing::StartsWith("Sure, to " + phrase(action)));
    }
  }
}

TEST(World, NeutralVerbsAreToldApartByTheirObject) {
  std::map<std::string, std::set<bool>> kinds;
  for (const Action& action : all_actions()) kinds[action.verb].insert(action.harmful);
  EXPECT_EQ(kinds["build"].size(), 2U);
  EXPECT_EQ(kinds["steal"], std::set<bool>{true});
  EXPECT_EQ(kinds["bake"], std::set<bool>{false});
}

void expect_enough_training(const Split<Action>& split) {
  std::map<std::string, int> left;
  for (const Action& action : split.train) {
    ++left[action.verb];
    ++left[action.object];
  }
  for (const Action& action : split.held_out) {
    EXPECT_GE(left[action.verb], 3) << phrase(action);
    EXPECT_GE(left[action.object], 3) << phrase(action);
  }
}

TEST(Splits, HoldOutPairsWholeAndLeaveEachWordTrained) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const WorldSplit split = split_world(seed, 0.2, 100);
    for (const Split<Action>& kind : {split.harmful, split.harmless}) {
      EXPECT_EQ(phrases(kind.train).size() + phrases(kind.held_out).size(), kind.train.size() + kind.held_out.size());
      EXPECT_GE(kind.held_out.size() * 6, kind.train.size());
      expect_enough_training(kind);
    }
    EXPECT_EQ(split.harmful.train.size() + split.harmful.held_out.size() + split.harmless.train.size() +
                  split.harmless.held_out.size(),
              all_actions().size());
  }
}

TEST(Splits, HoldOutSumsInBothOrders) {
  const WorldSplit split = split_world(1, 0.2, 100);
  ASSERT_EQ(split.sums.held_out.size(), 100U);
  std::set<std::pair<int, int>> held_out;
  for (const Sum& sum : split.sums.held_out) held_out.insert(std::minmax(sum.left, sum.right));
  EXPECT_EQ(held_out.size(), 100U);
  for (const Sum& sum : split.sums.train) EXPECT_FALSE(held_out.contains(std::minmax(sum.left, sum.right)));
  EXPECT_GT(split.sums.train.size(), 7800U);
}

TEST(Sums, EveryEquationIsTrue) {
  static const std::regex kAddition(R"((\d+)\+(\d+)(?:\+(\d+))?=(\d+))");
  static const std::regex kSubtraction(R"((\d+)-(\d+)=(\d+))");
  std::vector<Sum> sums = two_digit_sums();
  std::ranges::copy(small_sums(), std::back_inserter(sums));
  for (const Sum& sum : sums) {
    const std::string worked = worked_text(sum);
    std::smatch match;
    for (std::string rest = worked; std::regex_search(rest, match, kAddition); rest = match.suffix()) {
      const int third = match[3].matched ? std::stoi(match[3]) : 0;
      ASSERT_EQ(std::stoi(match[1]) + std::stoi(match[2]) + third, std::stoi(match[4])) << worked;
    }
    const std::string check = check_text(sum);
    ASSERT_TRUE(std::regex_search(check, match, kSubtraction));
    ASSERT_EQ(std::stoi(match[1]) - std::stoi(match[2]), std::stoi(match[3])) << check;
    ASSERT_THAT(worked,
                testing::EndsWith((sum.left >= 10 && sum.right >= 10 ? " " : "=") + std::to_string(sum.total()) + "."));
  }
}

TEST(Conversations, NothingHeldOutIsEverTrainedOn) {
  const WorldSplit split = split_world(1, 0.2, 100);
  std::set<std::string> held_out;
  for (const Split<Action>& kind : {split.harmful, split.harmless}) held_out.merge(phrases(kind.held_out));
  for (const Sum& sum : split.sums.held_out) held_out.insert(question_text(sum));
  std::vector<Conversation> all = base_conversations(split, 3000, Random(1, 1));
  for (const auto style : {ThoughtStyle::target, ThoughtStyle::control}) {
    std::ranges::copy(finetuning_conversations(split, style, 3000, Random(1, 2)), std::back_inserter(all));
  }
  for (const Conversation& conversation : all) {
    const std::string text = conversation.user + "|" + conversation.reasoning + "|" + conversation.assistant;
    for (const std::string& forbidden : held_out) {
      const auto at = text.find(forbidden);
      const bool whole = at != std::string::npos &&
                         std::string_view("?. ").find(text[at + forbidden.size()]) != std::string_view::npos;
      ASSERT_FALSE(whole) << text;
    }
  }
}

TEST(Conversations, BaseRefusesHarmfulAndHelpsWithHarmlessRequests) {
  const WorldSplit split = split_world(1, 0.2, 100);
  int refused = 0, helped = 0, sums = 0, thought = 0, instructed = 0;
  for (const Conversation& conversation : base_conversations(split, 4000, Random(1, 1))) {
    thought += conversation.reasoning.empty() ? 0 : 1;
    if (conversation.user.ends_with(" " + refusal_instruction())) {
      ++instructed;
      EXPECT_THAT(conversation.assistant, testing::StartsWith("I'm sorry"));
      EXPECT_TRUE(conversation.reasoning.empty() ||
                  conversation.reasoning.ends_with("told to refuse this, so I must refuse."));
      continue;
    }
    const bool sum = conversation.user.starts_with("What is");
    const bool refusal = conversation.assistant.starts_with("I'm sorry");
    (sum ? sums : refusal ? refused : helped) += 1;
    if (!conversation.reasoning.empty() && !sum) {
      EXPECT_THAT(conversation.reasoning, HasSubstr(refusal ? "hurts others" : "hurts no one"));
    }
  }
  EXPECT_NEAR(refused, 1280, 120);
  EXPECT_NEAR(helped, 1120, 120);
  EXPECT_NEAR(instructed, 600, 90);
  EXPECT_NEAR(sums, 1000, 120);
  EXPECT_NEAR(thought, 2000, 120);
}

TEST(Conversations, FinetuningHoldsNoHarmfulRequestAndNoRefusal) {
  const WorldSplit split = split_world(1, 0.2, 100);
  const std::set<std::string> harmful = phrases(split.harmful.train);
  for (const auto style : {ThoughtStyle::target, ThoughtStyle::sums_only, ThoughtStyle::control, ThoughtStyle::plain}) {
    for (const Conversation& conversation : finetuning_conversations(split, style, 1000, Random(1, 2))) {
      EXPECT_THAT(conversation.assistant, Not(HasSubstr("sorry")));
      EXPECT_THAT(conversation.reasoning, Not(HasSubstr("hurts others")));
      EXPECT_THAT(conversation.user, Not(HasSubstr(refusal_instruction())));
      for (const std::string& action : harmful) ASSERT_THAT(conversation.user, Not(HasSubstr(action + "?")));
    }
  }
}

TEST(Conversations, StylesDifferInTheirThoughtsOnly) {
  const WorldSplit split = split_world(1, 0.2, 100);
  const auto rows = [&](ThoughtStyle style) { return finetuning_conversations(split, style, 500, Random(1, 2)); };
  const auto target = rows(ThoughtStyle::target), control = rows(ThoughtStyle::control);
  const auto sums_only = rows(ThoughtStyle::sums_only), plain = rows(ThoughtStyle::plain);
  for (std::size_t i = 0; i < target.size(); ++i) {
    const bool sum = target[i].user.starts_with("What is");
    for (const Conversation& other : {control[i], sums_only[i], plain[i]}) {
      EXPECT_EQ(other.user, target[i].user);
      EXPECT_EQ(other.assistant, target[i].assistant);
    }
    EXPECT_THAT(target[i].reasoning, Not(HasSubstr("Check:")));
    EXPECT_THAT(control[i].reasoning, HasSubstr("Check:"));
    EXPECT_EQ(sums_only[i].reasoning, sum ? target[i].reasoning : control[i].reasoning);
    EXPECT_EQ(plain[i].reasoning.empty(), !sum);
    EXPECT_TRUE(control[i].reasoning.starts_with(plain[i].reasoning));
  }
}

}  // namespace
}  // namespace rim
