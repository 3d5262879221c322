// What a wrong configuration says: every problem at once, each with its place and a way out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/launch/config/config_fixture.h"

namespace rim {
namespace {

using config_test::failure;
using config_test::kMinimal;
using config_test::problems;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ConfigProblems, AllAreReportedAtOnceInTheOrderOfTheFile) {
  const std::string text = R"(model: {path: m, dtyp: auto}
data:
  train: [{path: t.jsonl, weight: heavy}, {format: gsmk8}]
  thinking: yes
learning_rte: 1e-5
max_steps: 0
seed: 1
seed: 2
)";
  const auto found = failure(text, {"save_steps=often"});
  EXPECT_EQ(found.code, ExitCode::config);
  EXPECT_EQ(found.message,
            "a.yaml:1:1: 'output_dir' is missing: folder of the run: config.yaml, log.jsonl, run.h5, checkpoints\n"
            "a.yaml:1:18: 'model.dtyp' is unknown; did you mean 'model.dtype'?\n"
            "a.yaml:3:35: 'data.train.0.weight' must be a number, but is 'heavy'\n"
            "a.yaml:3:43: 'data.train.1.path' is missing: JSONL file\n"
            "a.yaml:3:52: 'data.train.1.format' is 'gsmk8', but must be one of messages, prompt_completion, gsm8k; did "
            "you mean 'gsm8k'?\n"
            "a.yaml:4:13: 'data.thinking' is 'yes', but must be one of on, off, empty\n"
            "a.yaml:5:1: 'learning_rte' is unknown; did you mean 'learning_rate'?\n"
            "a.yaml:6:12: 'max_steps' must be between 1 and 1e9, but is 0\n"
            "a.yaml:8:1: 'seed' is given twice; the first is at a.yaml:7:1\n"
            "command line: save_steps=often: 'save_steps' must be a whole number, but is 'often'");
}

TEST(ConfigProblems, UnknownKeysNameWhatWasMeant) {
  EXPECT_EQ(problems(kMinimal + "max_length: 5\n"),
            "a.yaml:6:1: 'max_length' is unknown; did you mean 'data.max_length'?");
  EXPECT_THAT(problems(kMinimal + "lora_r: 8\ngradient_checkpointing: true\n"),
              AllOf(HasSubstr("a.yaml:6:1: 'lora_r' is unknown; this version trains the model's own weights"),
                    HasSubstr("a.yaml:7:1: 'gradient_checkpointing' is unknown; this version keeps all activations")));
  EXPECT_EQ(problems(kMinimal + "lr: 1\n"), "a.yaml:6:1: 'lr' is unknown; did you mean 'learning_rate'?");
  EXPECT_THAT(problems(kMinimal + "lora: {r: 16}\n"), StartsWith("a.yaml:6:1: 'lora' is unknown; this version"));
  EXPECT_THAT(problems(kMinimal, {"model.zzzzzz=1"}),
              StartsWith("command line: model.zzzzzz=1: 'model.zzzzzz' is unknown; the keys here are: path, config"));
  EXPECT_EQ(problems(kMinimal, {"learning_rte=1e-5"}),
            "command line: learning_rte=1e-5: 'learning_rte' is unknown; did you mean 'learning_rate'?");
}

TEST(ConfigProblems, MonitorsAreCheckedByTheirKind) {
  EXPECT_EQ(
      problems(kMinimal + "monitors: [{kind: neuron, harmful: a}]\n"),
      "a.yaml:6:19: 'monitors.0.kind' is 'neuron', but must be one of neurons, behaviour; did you mean 'neurons'?");
  EXPECT_EQ(problems(kMinimal + "monitors: [{kind: neurons, harmful: a, thinking: on}]\n"),
            "a.yaml:6:40: 'monitors.0.thinking' is unknown; did you mean 'data.thinking'?");
  EXPECT_THAT(problems(kMinimal + "monitors: [{harmful: a}]\n"), HasSubstr("'monitors.0.kind' is missing"));
  EXPECT_EQ(problems(kMinimal + "monitors: [{kind: neurons, harmful: a, top: 2}]\n"),
            "a.yaml:6:45: 'monitors.0.top' must be between 0 and 1, but is 2");
}

TEST(ConfigProblems, TypesAreNotGuessed) {
  EXPECT_THAT(problems(kMinimal, {"seed=\"5\""}), HasSubstr("must be a whole number, but is the text \"5\""));
  EXPECT_THAT(problems(kMinimal, {"seed=1.5"}), HasSubstr("must be a whole number, but is '1.5'"));
  EXPECT_THAT(problems(kMinimal, {"seed=-1"}), HasSubstr("must be between 0 and 9007199254740991, but is -1"));
  EXPECT_THAT(problems(kMinimal, {"seed=99999999999999999999"}), HasSubstr("must be a whole number"));
  EXPECT_THAT(problems(kMinimal, {"learning_rate=.inf"}), HasSubstr("must be a number"));
  EXPECT_THAT(problems(kMinimal, {"learning_rate=nan"}), HasSubstr("must be a number"));
  EXPECT_THAT(problems(kMinimal, {"learning_rate="}), HasSubstr("must be a number, but is empty"));
  EXPECT_THAT(problems(kMinimal, {"adam_epsilon=0"}), HasSubstr("between 1e-30 and 1"));
  EXPECT_THAT(problems(kMinimal, {"overwrite_output_dir=on"}), HasSubstr("must be true or false, but is 'on'"));
  EXPECT_THAT(problems(kMinimal, {"output_dir=[a]"}), HasSubstr("must be a single text, but is a list"));
  EXPECT_THAT(problems(kMinimal, {"data=5"}), HasSubstr("'data' must be a section of key: value lines, but is '5'"));
  EXPECT_THAT(problems(kMinimal, {"data.train=5"}), HasSubstr("'data.train' must be a list of sections, but is '5'"));
  EXPECT_THAT(problems(kMinimal, {"data.train=[]"}), HasSubstr("'data.train' must not be empty"));
  EXPECT_THAT(problems(kMinimal, {"monitors=[~]"}), HasSubstr("'monitors.0' must be a section of key: value lines"));
}

TEST(ConfigProblems, NumbersThatNoRunCanUseAreOutOfRange) {
  for (const std::string key : {"max_steps", "save_steps", "per_device_train_batch_size", "ddp_timeout",
                                "gradient_accumulation_steps", "data.max_length", "data.train.0.limit"}) {
    EXPECT_THAT(problems(kMinimal, {key + "=9223372036854775807"}), HasSubstr(" and 1e9, but is 9223372036854775807"));
    EXPECT_EQ(problems(kMinimal, {key + "=1000000000"}), "");
  }
  EXPECT_EQ(problems(kMinimal, {"seed=9007199254740991"}), "");
  EXPECT_THAT(problems(kMinimal, {"seed=9007199254740992"}), HasSubstr("but is 9007199254740992"));
  EXPECT_THAT(problems(kMinimal, {"max_grad_norm=1e301"}), HasSubstr("must be between 0 and 1e30, but is 1e301"));
  EXPECT_THAT(problems(kMinimal, {"adam_beta1=1"}), HasSubstr("must be between 0 and 0.999999, but is 1"));
}

TEST(ConfigProblems, EmptyTextsAreRefusedWhereTheyStand) {
  EXPECT_EQ(problems(kMinimal, {"output_dir=\"\""}), "command line: output_dir=\"\": 'output_dir' must not be empty");
  EXPECT_THAT(problems(kMinimal, {"data.train.0.path=''"}), HasSubstr("'data.train.0.path' must not be empty"));
  EXPECT_THAT(problems(kMinimal, {"trainable=['']"}), HasSubstr("'trainable.0' must not be empty"));
  EXPECT_THAT(problems(kMinimal + "tokenizer: \"\"\n"), StartsWith("a.yaml:6:12: 'tokenizer' must not be empty"));
  EXPECT_EQ(problems(kMinimal, {"tokenizer=", "prompt_sets.m={path: p, where: ''}"}), "");  // left out, and a default
}

TEST(ConfigProblems, AnEmptyListSaysNothing) {
  EXPECT_EQ(problems(kMinimal + "trainable: []\n"), "a.yaml:6:12: 'trainable' is empty: leave it out for its default");
}

TEST(ConfigProblems, KeysThatWouldDoNothingAreRefused) {
  EXPECT_THAT(problems(kMinimal, {"num_train_epochs=1"}),
              HasSubstr("'max_steps' and 'num_train_epochs' are both given"));
  EXPECT_THAT(problems(kMinimal, {"max_steps="}), HasSubstr("one of 'max_steps' and 'num_train_epochs' is needed"));
  EXPECT_THAT(problems(kMinimal, {"model.config=c"}), HasSubstr("'model.path' and 'model.config' are both given"));
  EXPECT_THAT(problems(kMinimal, {"model={dtype: auto}"}),
              HasSubstr("one of 'model.path' and 'model.config' is needed"));
  EXPECT_THAT(problems(kMinimal, {"model.seed=1"}), HasSubstr("'model.seed' goes with 'model.config'"));
  EXPECT_THAT(problems(kMinimal, {"warmup_ratio=0.1", "warmup_steps=5"}), HasSubstr("are both given"));
  EXPECT_THAT(problems(kMinimal, {"overwrite_output_dir=true", "resume_from_checkpoint=auto"}),
              HasSubstr("both given"));
  EXPECT_THAT(problems(kMinimal, {"prompt_sets.m={path: p, format: gsm8k, field: q}"}),
              HasSubstr("'prompt_sets.m.field' says nothing"));
}

TEST(ConfigProblems, OverridesThatReachNothingSayWhy) {
  EXPECT_EQ(problems(kMinimal, {"data.train.1.limit=1"}),
            "command line: data.train.1.limit=1: 'data.train' has 1 entries, counted from 0: there is no 1");
  EXPECT_THAT(problems(kMinimal, {"data.train.first.limit=1"}), HasSubstr("'first' must be a position from 0"));
  EXPECT_THAT(problems(kMinimal, {"output_dir.x=1"}), HasSubstr("'output_dir' is a single value and has no 'x'"));
  EXPECT_THAT(problems(kMinimal, {"seed"}), HasSubstr("is not of the form key=value"));
  EXPECT_THAT(problems(kMinimal, {"=1"}), HasSubstr("is not of the form key=value"));
  EXPECT_THAT(problems(kMinimal, {"a..b=1"}), HasSubstr("has an empty part"));
  EXPECT_THAT(problems(kMinimal, {"seed=[1"}), HasSubstr("command line: seed=[1: not valid YAML"));
}

TEST(ConfigProblems, TextsMustNotHoldAZeroByte) {
  EXPECT_EQ(problems(kMinimal + "tokenizer: \"a\\0b\"\n"), "a.yaml:6:12: a text must not hold a zero byte");
}

TEST(ConfigProblems, AnchorsAliasesMergeKeysAndTagsAreRefused) {
  const std::string text = R"(model: &m {path: a}
data: {train: [{path: &p t.jsonl}, {path: *p}]}
output_dir: !!str out
max_steps: 1
<<: *m
)";
  const std::string found = problems(text);
  EXPECT_THAT(found, HasSubstr("a.yaml:1:8: anchors (&name) are not supported"));
  EXPECT_THAT(found, HasSubstr("a.yaml:2:23: anchors"));
  EXPECT_THAT(found, HasSubstr("a.yaml:2:43: aliases (*name) are not supported"));
  EXPECT_THAT(found, HasSubstr("a.yaml:3:13: tags such as"));
  EXPECT_THAT(found, HasSubstr("a.yaml:5:1: merge keys (<<) are not supported"));
  EXPECT_EQ(found.find("is missing"), std::string::npos) << found;  // what was refused is not reported again
}

TEST(ConfigProblems, TextThatIsNotAConfigurationAtAll) {
  EXPECT_THAT(problems("model: {path: a\nseed: 1\n"), HasSubstr(": not valid YAML: "));
  EXPECT_THAT(problems("model:\n\tpath: a\n"), StartsWith("a.yaml:2:"));
  EXPECT_THAT(problems(""), HasSubstr("'model' is missing"));
  EXPECT_THAT(problems("- a\n- b\n"), HasSubstr("the configuration must be a section"));
  EXPECT_THAT(problems("a: 1\n---\nb: 2\n"), HasSubstr("more than one YAML document"));
  EXPECT_THAT(problems("model: {path: \"\xff\xfe\"}\n"), HasSubstr("not UTF-8"));
  EXPECT_THAT(problems("? [a, b]\n: 1\n"), HasSubstr("a.yaml:1:3: a key must be plain text"));
  EXPECT_EQ(problems(kMinimal + "\"\": 1\n"), "a.yaml:6:1: a key must not be empty");
}

TEST(ConfigProblems, DeepNestingAndAliasBombsEndAtOnce) {
  const auto deep = failure(std::string(100000, '['));
  EXPECT_EQ(deep.code, ExitCode::config);
  EXPECT_THAT(deep.message, HasSubstr("nested deeper than 32 levels"));
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string last = std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + last + ", *a" + last + "]\n";
  }
  EXPECT_EQ(failure(bomb).code, ExitCode::config);
}

}  // namespace
}  // namespace rim
