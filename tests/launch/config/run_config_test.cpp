#include "launch/config/run_config.h"

#include <gtest/gtest.h>

#include "tests/launch/config/config_fixture.h"

namespace rim {
namespace {

using config_test::kMinimal;
using config_test::parse;

TEST(RunConfig, FillsInDefaults) {
  const RunConfig config = parse(kMinimal);
  EXPECT_EQ(config.model.folder, "models/tiny");
  EXPECT_EQ(config.model.dtype, "auto");
  EXPECT_EQ(config.tokenizer, "models/tiny");
  ASSERT_EQ(config.data.train.size(), 1U);
  EXPECT_EQ(config.data.train[0].path, "train.jsonl");
  EXPECT_EQ(config.data.train[0].format, "messages");
  EXPECT_EQ(config.data.train[0].weight, 1.0);
  EXPECT_EQ(config.data.train[0].limit, std::nullopt);
  EXPECT_EQ(config.data.thinking, "on");
  EXPECT_EQ(config.optimization.max_steps, 10);
  EXPECT_EQ(config.optimization.num_train_epochs, std::nullopt);
  EXPECT_EQ(config.optimization.learning_rate, 5e-5);
  EXPECT_EQ(config.save_total_limit, std::nullopt);
  EXPECT_EQ(config.resume_from_checkpoint, "");
  EXPECT_EQ(config.ddp_timeout, std::chrono::seconds(1800));
  EXPECT_TRUE(config.optimization.trainable.empty());
  EXPECT_TRUE(config.monitors.empty());
}

TEST(RunConfig, OnAndOffAreWordsAndNotBooleans) {
  for (const std::string word : {"on", "off", "empty"}) {
    EXPECT_EQ(parse(kMinimal, {"data.thinking=" + word}).data.thinking, word);
  }
}

TEST(RunConfig, RandomWeightsTakeTheRunsSeedAndTheConfigsFolder) {
  const RunConfig config = parse(kMinimal, {"model={config: worlds/a/config.json}", "seed=7"});
  EXPECT_TRUE(config.model.folder.empty());
  EXPECT_EQ(config.model.config, "worlds/a/config.json");
  EXPECT_EQ(config.model.seed, 7U);
  EXPECT_EQ(config.tokenizer, "worlds/a");
  EXPECT_EQ(parse(kMinimal, {"model={config: config.json}"}).tokenizer, ".");
  EXPECT_EQ(parse(kMinimal, {"model={config: worlds/a}"}).tokenizer, "worlds/a");
  EXPECT_EQ(parse(kMinimal, {"model={config: worlds/a}", "tokenizer=b/tokenizer.json"}).tokenizer, "b/tokenizer.json");
  EXPECT_EQ(parse(kMinimal, {"model={config: worlds/a, seed: 3}", "seed=7"}).model.seed, 3U);
}

TEST(RunConfig, MonitorsGetAllOptionsOfTheirKind) {
  const RunConfig config = parse(kMinimal + R"(prompt_sets:
  harmful: {path: harmful.csv, field: goal, limit: 5, where: label=unsafe}
monitors:
  - {kind: neurons, harmful: harmful}
  - {kind: behaviour, harmful: harmful, thinking: on}
)");
  ASSERT_EQ(config.monitors.size(), 2U);
  EXPECT_EQ(config.monitors[0].kind, "neurons");
  EXPECT_EQ(config.monitors[0].options, (Json{{"harmful", "harmful"}, {"top", 0.01}}));
  EXPECT_EQ(config.monitors[1].options, (Json{{"harmful", "harmful"}, {"thinking", {"on"}}}));
  const PromptSetSettings& set = config.prompt_sets.at("harmful");
  EXPECT_EQ(set.field, "goal");
  EXPECT_EQ(set.format, "field");
  EXPECT_EQ(set.limit, 5);
  EXPECT_EQ(set.where, "label=unsafe");
}

TEST(RunConfig, OverridesReachIntoListsAndMakeSections) {
  const std::string text = kMinimal + "monitors: [{kind: neurons, harmful: a}, {kind: behaviour, harmful: a}]\n";
  const RunConfig config = parse(text, {"monitors.0.top=0.05", "data.train.0.limit=10", "monitors.1.thinking=[off]",
                                        "prompt_sets.a.path=x.jsonl", "learning_rate=1e-3", "learning_rate=2e-3"});
  EXPECT_EQ(config.monitors[0].options.at("top"), 0.05);
  EXPECT_EQ(config.monitors[1].options.at("thinking"), Json::array({"off"}));
  EXPECT_EQ(config.data.train[0].limit, 10);
  EXPECT_EQ(config.prompt_sets.at("a").path, "x.jsonl");
  EXPECT_EQ(config.optimization.learning_rate, 2e-3);
}

TEST(RunConfig, AnOverrideMayHoldEqualSignsAndReplaceABrokenValue) {
  EXPECT_EQ(parse(kMinimal + "learning_rate: fast\n", {"learning_rate=0.5"}).optimization.learning_rate, 0.5);
  EXPECT_EQ(parse(kMinimal, {"prompt_sets.a={path: p, where: x=y}"}).prompt_sets.at("a").where, "x=y");
}

TEST(RunConfig, NumbersAreReadAsYaml12Writes) {
  EXPECT_EQ(parse(kMinimal, {"learning_rate=1.0e-5"}).optimization.learning_rate, 1e-5);
  EXPECT_EQ(parse(kMinimal, {"learning_rate=1e-5"}).optimization.learning_rate, 1e-5);
  EXPECT_EQ(parse(kMinimal, {"learning_rate=.5"}).optimization.learning_rate, 0.5);
  EXPECT_EQ(parse(kMinimal, {"learning_rate=+1"}).optimization.learning_rate, 1.0);
}

TEST(RunConfig, PrintedTextLoadsAgainIdentically) {
  const std::string rich = R"(model: {config: worlds/a/config.json, dtype: float32}
tokenizer: "on"
data:
  train:
    - {path: 'with space, and "quotes" ä.jsonl', format: gsm8k, weight: 0.5, limit: 3}
    - {path: "123"}
  thinking: off
output_dir: "a: b # c"
num_train_epochs: 2.5
learning_rate: 1.0e-5
trainable: ["*.mlp.*", model.norm.weight]
prompt_sets:
  math: {path: m.jsonl, format: gsm8k}
  "yes": {path: y.jsonl, where: "a=b"}
monitors:
  - {kind: behaviour, harmful: "yes", thinking: [on, off]}
  - {kind: neurons, harmful: "1e5", top: 1}
)";
  for (const std::string& text : {kMinimal, rich}) {
    const RunConfig once = parse(text);
    const RunConfig again = parse(once.text);
    EXPECT_EQ(again.resolved, once.resolved) << once.text;
    EXPECT_EQ(again.text, once.text);
  }
  EXPECT_EQ(parse(rich).resolved.at("output_dir"), "a: b # c");
}

TEST(RunConfig, PrintedTextIsSafeForYaml11Readers) {
  const std::string text = parse(kMinimal, {"learning_rate=1e-5"}).text;
  EXPECT_NE(text.find("thinking: \"on\""), std::string::npos) << text;
  EXPECT_NE(text.find("learning_rate: 1.0e-05"), std::string::npos) << text;
}

TEST(RunConfig, AMissingFileIsMissingInput) {
  try {
    load_run_config("/nonexistent/a.yaml", {}, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::no_input);
    EXPECT_NE(std::string(error.what()).find("/nonexistent/a.yaml"), std::string::npos);
  }
}

}  // namespace
}  // namespace rim
