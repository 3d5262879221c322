#include "data/examples/example.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/support/error.h"
#include "tests/data/examples/temporary_file.h"

namespace rim {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

std::vector<Example> read(const std::string& text, const std::string& format) {
  const TemporaryFile file("rows.jsonl", text);
  return read_examples({.path = file.path(), .format = format, .weight = 1.0, .limit = std::nullopt});
}

std::string refusal(const std::string& text, const std::string& format) {
  try {
    read(text, format);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    return error.what();
  }
  return "accepted";
}

TEST(ReadMessages, KeepsTurnsReasoningAndOrigin) {
  const auto examples = read(
      "\n"
      R"({"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"},)"
      R"({"role":"assistant","content":"Hello","reasoning_content":"greet"}],"extra":1})"
      "\n",
      "messages");
  ASSERT_EQ(examples.size(), 1U);
  ASSERT_EQ(examples[0].messages.size(), 3U);
  EXPECT_EQ(examples[0].messages[0].role, "system");
  EXPECT_EQ(examples[0].messages[2].content, "Hello");
  EXPECT_EQ(examples[0].messages[2].reasoning, "greet");
  EXPECT_THAT(examples[0].origin, EndsWith("rows.jsonl:2"));
}

TEST(ReadMessages, LeadingThinkSpanOfTheAssistantIsItsReasoning) {
  const auto span = [](const std::string& role, const std::string& content) {
    return read(R"({"messages":[{"role":")" + role + R"(","content":")" + content + R"("}]})", "messages")[0]
        .messages[0];
  };
  EXPECT_EQ(span("assistant", R"(<think>\nstep\n</think>\n\nDone)").reasoning, "step");
  EXPECT_EQ(span("assistant", R"(<think>\nstep\n</think>\n\nDone)").content, "Done");
  EXPECT_EQ(span("assistant", R"(<think></think>Done)").content, "Done");
  EXPECT_EQ(span("assistant", R"(step\n</think>\n\nDone)").reasoning, "step");  // the prompt had the opening tag
  EXPECT_EQ(span("assistant", R"(step\n</think>\n\nDone)").content, "Done");
  EXPECT_EQ(span("user", R"(<think>x</think>y)").content, "<think>x</think>y");
}

std::string assistant(const std::string& members) {
  return R"({"messages":[{"role":"user","content":"q"},{"role":"assistant",)" + members + "}]}";
}

TEST(ReadMessages, ThinkTagsElsewhereAreRefused) {
  for (const char* members : {R"("content":"<think>\nnever closed")", R"("content":"first <think>x</think>")",
                              R"("content":"<think>a</think>b</think>c")", R"("content":"<think>a<think>b</think>c")",
                              R"("content":"<think>a</think>b","reasoning_content":"r")",
                              R"("content":"b","reasoning_content":"<think>a</think>")"}) {
    EXPECT_THAT(refusal(assistant(members), "messages"), HasSubstr("rows.jsonl:1: messages[1]: '<")) << members;
  }
}

TEST(ReadMessages, ReasoningHasThreeNames) {
  for (const char* name : {"reasoning_content", "reasoning", "thinking"}) {
    const std::string members = R"("content":"a",")" + std::string(name) + R"(":"why")";
    EXPECT_EQ(read(assistant(members), "messages")[0].messages[1].reasoning, "why") << name;
  }
  EXPECT_THAT(refusal(assistant(R"("content":"a","reasoning":"x","thinking":"y")"), "messages"),
              HasSubstr("'thinking' says something else"));
}

TEST(ReadMessages, WeightZeroIsContext) {
  const auto examples =
      read(assistant(R"("content":"a","weight":0)") + "\n" + assistant(R"("content":"a","weight":1)"), "messages");
  EXPECT_THAT(examples[0].trained, testing::ElementsAre(1, 0));
  EXPECT_THAT(examples[1].trained, testing::ElementsAre(1, 1));
  EXPECT_THAT(refusal(assistant(R"("content":"a","weight":0.5)"), "messages"),
              HasSubstr("messages[1]: 'weight' must be"));
}

TEST(ReadMessages, ToolsAreRefusedAndOtherMembersPassedOver) {
  EXPECT_THAT(refusal(assistant(R"("content":null,"tool_calls":[{"id":"1"}])"), "messages"),
              HasSubstr("rows.jsonl:1: messages[1]: 'tool_calls' is not supported"));
  EXPECT_THAT(refusal(assistant(R"("content":"","function_call":{"name":"f"})"), "messages"),
              HasSubstr("'function_call' is not supported"));
  EXPECT_THAT(refusal(R"({"tools":[{"name":"f"}],"messages":[{"role":"user","content":"q"}]})", "messages"),
              HasSubstr("rows.jsonl:1: 'tools' is not supported"));
  const auto examples =
      read(assistant(R"("content":"a","tool_calls":[],"function_call":null,"name":"n","id":3)"), "messages");
  EXPECT_EQ(examples[0].messages[1].content, "a");
}

TEST(ReadMessages, NamesWhatIsWrong) {
  EXPECT_THAT(refusal(R"({"text":"x"})", "messages"), HasSubstr("rows.jsonl:1: 'messages' is missing"));
  EXPECT_THAT(refusal(R"({"messages":[]})", "messages"), HasSubstr("at least one"));
  EXPECT_THAT(refusal(R"({"messages":[{"role":"robot","content":"x"}]})", "messages"),
              HasSubstr("messages[0]: role 'robot' is none of system, user, assistant"));
  EXPECT_THAT(refusal(R"({"messages":[{"role":"user"}]})", "messages"), HasSubstr("'content' is missing"));
  EXPECT_THAT(refusal(R"({"messages":[{"role":"user","content":7}]})", "messages"), HasSubstr("must be a string"));
  EXPECT_THAT(refusal(R"({"messages":["x"]})", "messages"), HasSubstr("expected an object"));
  EXPECT_THAT(refusal(R"({"messages":[{"role":"user","content":"x","reasoning_content":"y"}]})", "messages"),
              HasSubstr("belongs to assistant"));
  EXPECT_THAT(refusal("{\"messages\":", "messages"), HasSubstr("rows.jsonl:1: not valid JSON"));
  EXPECT_THAT(refusal("\n \n", "messages"), HasSubstr("holds no examples"));
}

TEST(ReadPromptCompletion, StringsStayAsTheyStand) {
  const auto examples = read(R"({"prompt":" Q: 1 ","completion":" A\n"})", "prompt_completion");
  EXPECT_TRUE(examples[0].messages.empty());
  EXPECT_EQ(examples[0].prompt, " Q: 1 ");
  EXPECT_EQ(examples[0].completion, " A\n");
}

TEST(ReadPromptCompletion, MessageListsAreJoinedAndThePromptIsContext) {
  const auto examples = read(
      R"({"prompt":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}],)"
      R"("completion":[{"role":"assistant","content":"d"}]})",
      "prompt_completion");
  ASSERT_EQ(examples[0].messages.size(), 4U);
  EXPECT_THAT(examples[0].trained, testing::ElementsAre(0, 0, 0, 1));
  EXPECT_EQ(examples[0].messages[3].content, "d");
}

TEST(ReadPromptCompletion, RefusesMixedForms) {
  EXPECT_THAT(refusal(R"({"prompt":"a","completion":[{"role":"assistant","content":"d"}]})", "prompt_completion"),
              HasSubstr("both be strings or both lists"));
  EXPECT_THAT(refusal(R"({"prompt":"a"})", "prompt_completion"), HasSubstr("'completion' is missing"));
}

TEST(ReadGsm8k, SplitsReasoningFromTheAnswer) {
  const auto examples =
      read(R"({"question":"How many?","answer":"He has 48/2 = <<48/2=24>>24.\nSo 1,024.\n#### 1,024"})", "gsm8k");
  ASSERT_EQ(examples[0].messages.size(), 2U);
  EXPECT_EQ(examples[0].messages[0].content, "How many?");
  EXPECT_EQ(examples[0].messages[1].reasoning, "He has 48/2 = 24.\nSo 1,024.");
  EXPECT_EQ(examples[0].messages[1].content, "1,024");
  EXPECT_EQ(examples[0].answer, "1,024");
}

TEST(ReadGsm8k, NeedsTheFinalNumber) {
  EXPECT_THAT(refusal(R"({"question":"q","answer":"42"})", "gsm8k"), HasSubstr("no '####'"));
  EXPECT_THAT(refusal(R"({"question":"q","answer":"x #### "})", "gsm8k"), HasSubstr("nothing follows"));
}

TEST(ReadExamples, LimitKeepsTheFirstRowsAndReadsNoFurther) {
  const TemporaryFile file(
      "rows.jsonl", "{\"prompt\":\"1\",\"completion\":\"a\"}\n{\"prompt\":\"2\",\"completion\":\"b\"}\nbroken\n");
  const auto examples = read_examples({.path = file.path(), .format = "prompt_completion", .weight = 1.0, .limit = 2});
  ASSERT_EQ(examples.size(), 2U);
  EXPECT_EQ(examples[1].prompt, "2");
}

TEST(ReadExamples, UnknownFormatAndMissingFileHaveTheirCodes) {
  const auto code = [](const DatasetSource& source) {
    try {
      read_examples(source);
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::ok;
  };
  EXPECT_EQ(code({.path = "/nonexistent.jsonl", .format = "messages", .weight = 1.0, .limit = {}}), ExitCode::no_input);
  EXPECT_EQ(code({.path = "/nonexistent.jsonl", .format = "parquet", .weight = 1.0, .limit = {}}), ExitCode::config);
  EXPECT_EQ(code({.path = "/nonexistent.jsonl", .format = "gsm8k", .weight = 1.0, .limit = 0}), ExitCode::config);
}

}  // namespace
}  // namespace rim
