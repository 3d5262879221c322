// What a run says while it goes on and when it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launch/verbs/progress_display.h"
#include "launch/verbs/provenance.h"
#include "launch/verbs/run_ending.h"

namespace rim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RunTexts, ProgressLineHoldsWhatPeopleWatch) {
  const StepRecord record{
      .step = 12, .loss = 1.23456, .learning_rate = 9.8e-5, .grad_norm = 0.8712, .tokens_per_second = 15020.3};
  EXPECT_EQ(progress_line(record, 240, 100.0),
            "step 12/240  loss 1.2346  grad norm 0.871  lr 9.8e-05  15,020 tok/s  1 min 40 s left");
  EXPECT_THAT(progress_line(record, 240, std::nan("")), Not(HasSubstr("left")));
  EXPECT_THAT(progress_line(record, 12, 0.0), Not(HasSubstr("left")));
}

TEST(RunTexts, ShellQuotingSurvivesTheShell) {
  EXPECT_EQ(shell_quoted({"train", "a.yaml", "seed=1"}), "train a.yaml seed=1");
  EXPECT_EQ(shell_quoted({"monitors=[{kind: ras}]"}), "'monitors=[{kind: ras}]'");
  EXPECT_EQ(shell_quoted({"it's"}), "'it'\\''s'");
  EXPECT_EQ(shell_quoted({""}), "''");
}

TEST(RunTexts, ProvenanceNamesWhatIsThere) {
  RunConfig config;
  config.model.folder = "models/x";
  RunFacts facts;
  facts.base_weights = "abc";
  facts.prompt_sets = {{"harmful", "12"}, {"task", "34"}};
  facts.processor = "Some CPU";
  const auto without = make_provenance(config, facts).facts;
  EXPECT_EQ(without.at("base_weights_digest"), "abc");
  EXPECT_EQ(without.at("prompt_sets_sha256"), "harmful 12, task 34");
  EXPECT_EQ(without.at("processor"), "Some CPU");
  for (const char* name : {"gpus", "cuda_driver_version", "nccl_version", "model_seed"}) {
    EXPECT_FALSE(without.contains(name)) << name;
  }
  facts.gpus = {"H100", "H100"};
  facts.cuda = {.driver = "13.0", .runtime = "12.9", .nccl = "2.27.5"};
  const auto with = make_provenance(config, facts).facts;
  EXPECT_EQ(with.at("gpus"), "H100, H100");
  EXPECT_EQ(with.at("cuda_runtime_version"), "12.9");
  EXPECT_EQ(with.at("nccl_version"), "2.27.5");
}

TEST(RunTexts, TheResumeCommandRepeatsTheCall) {
  EXPECT_EQ(resume_command({"rimscope", "train", "a.yaml", "overwrite_output_dir=true", "seed=2"}, 2, true, "auto"),
            "mpirun -np 2 rimscope train a.yaml seed=2 overwrite_output_dir=false resume_from_checkpoint=auto");
  EXPECT_EQ(resume_command({"rimscope", "train", "a.yaml", "resume_from_checkpoint=runs/a/checkpoints/step-000002"}, 1,
                           false, "auto"),
            "rimscope train a.yaml resume_from_checkpoint=auto");
  EXPECT_EQ(resume_command({"rimscope", "train", "a.yaml"}, 1, false, "runs/b/checkpoints/step-000002"),
            "rimscope train a.yaml resume_from_checkpoint=runs/b/checkpoints/step-000002");
}

}  // namespace
}  // namespace rim
