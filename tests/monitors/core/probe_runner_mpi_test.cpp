// Every rank gets the same numbers, and they are those of one rank; a failure on one rank ends all.
#include <ATen/ops/allclose.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "data/support/error.h"
#include "data/support/sha256.h"
#include "monitors/core/generation_pass.h"
#include "monitors/core/probe_runner.h"
#include "monitors/core/run_observer.h"
#include "monitors/recorder/run_reader.h"
#include "tests/monitors/core/bare_prompt.h"
#include "tests/monitors/core/solo_communicator.h"
#include "tests/monitors/core/tiny_model.h"

namespace rim {
namespace {

using testing::HasSubstr;

PromptSet thirteen_prompts() {
  PromptSet set{.name = "p", .prompts = {}};
  for (int i = 0; i < 13; ++i) {
    Prompt prompt = bare_prompt("p:" + std::to_string(i), std::string(static_cast<std::size_t>(1 + 7 * i % 40), 'a'));
    prompt.response = "b" + std::to_string(i);
    set.prompts.push_back(prompt);
  }
  return set;
}

ProbePlan mixed_plan() {
  ProbePlan plan;
  plan.add_prompt_set(thirteen_prompts());
  plan.add_prompt_set({.name = "one", .prompts = {bare_prompt("one:0", "alone")}});  // fewer prompts than ranks
  for (const TokenRegion region : {TokenRegion::last_prompt, TokenRegion::all}) {
    plan.request(ActivationRequest{.prompt_set = "p", .region = region});
  }
  plan.request(ActivationRequest{.prompt_set = "one", .site = TapSite::residual});
  plan.request(GenerationRequest{
      .prompt_set = "p", .max_new_tokens = 5, .refusal_text = "I cannot.", .compliance_text = "Sure, here is"});
  plan.request(GenerationRequest{.prompt_set = "one", .thinking = ThinkingMode::on, .max_new_tokens = 5});
  return plan;
}

class ManyRanks : public testing::Test {
 protected:
  [[nodiscard]] ProbeRunner runner(ProbeRunnerOptions options = {}) const {
    options.stop_tokens = {*model_.tokenizer.token_to_id("<|im_end|>")};
    return {model_.tokenizer, model_.chat_template, options};
  }

  // Throws on this rank what `work` throws; returns its message.
  template <typename Work>
  std::string message_of(Work&& work) {
    try {
      work();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  TinyModel model_{"rimscope-probe-mpi-test-" + std::to_string(::getpid())};
  std::unique_ptr<Communicator> communicator_ = make_mpi_communicator({.timeout = std::chrono::seconds(60)});
};

std::string digest(const ProbeResults& results) {
  std::string bytes;
  for (const at::Tensor& tensor : results.activations) {
    bytes.append(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
  }
  for (const auto& responses : results.generations) {
    RankResponses all;
    for (std::size_t i = 0; i < responses.size(); ++i) all[i] = responses[i];
    bytes += pack_responses(all);
  }
  return sha256_hex(bytes);
}

TEST_F(ManyRanks, ResultsAreThoseOfOneRank) {
  const ProbePlan plan = mixed_plan();
  SoloCommunicator solo;
  const ProbeResults alone = runner().run(model_.decoder, plan, solo);
  const ProbeResults together = runner().run(model_.decoder, plan, *communicator_);
  for (std::size_t i = 0; i < alone.activations.size(); ++i) {
    ASSERT_EQ(together.activations[i].sizes(), alone.activations[i].sizes());
    EXPECT_TRUE(at::allclose(together.activations[i], alone.activations[i], 1e-5, 1e-5)) << "request " << i;
  }
  for (std::size_t i = 0; i < alone.generations.size(); ++i) {
    ASSERT_EQ(together.generations[i].size(), alone.generations[i].size());
    for (std::size_t prompt = 0; prompt < alone.generations[i].size(); ++prompt) {
      const GeneratedResponse &mine = together.generations[i][prompt], &expected = alone.generations[i][prompt];
      EXPECT_EQ(mine.text, expected.text);
      EXPECT_EQ(mine.tokens, expected.tokens);
      EXPECT_EQ(mine.stopped, expected.stopped);
      if (i > 0) continue;  // without scores
      EXPECT_NEAR(mine.refusal_score, expected.refusal_score, 1e-4);
      EXPECT_NEAR(mine.log_likelihood_gap, expected.log_likelihood_gap, 1e-4);
    }
  }
}

TEST_F(ManyRanks, AllRanksHoldTheSameBits) {
  const ProbeResults results = runner().run(model_.decoder, mixed_plan(), *communicator_);
  const auto digests = communicator_->all_gather(digest(results), "digests");
  EXPECT_THAT(digests, testing::Each(digests.front()));
}

TEST_F(ManyRanks, OneRanksFailureEndsAll) {
  ProbeRunnerOptions options;
  const bool failing = communicator_->rank() == communicator_->size() - 1;
  if (failing) options.max_length = 3;
  const std::string message =
      message_of([&] { static_cast<void>(runner(options).run(model_.decoder, mixed_plan(), *communicator_)); });
  EXPECT_THAT(message, HasSubstr("prompt 'p:0': is"));
  EXPECT_EQ(message.find('\n'), std::string::npos) << "one line";
  communicator_->sum(0, "still in step");
}

// Writes a series whose width changes from one observation to the next, which the recorder refuses on rank 0.
class Widening : public Monitor {
 public:
  void declare(ProbePlan& plan) override { plan.request(ActivationRequest{.prompt_set = "p"}); }
  void observe(Observation& observation) override {
    const std::vector<double> values(static_cast<std::size_t>(++width_), 1.0);
    observation.sink.append("widening", {.shape = {width_}, .values = values}, {"w", "1", "d", {"value"}});
    observation.headlines.emplace_back("seen");
  }

 private:
  std::int64_t width_ = 0;
};

TEST_F(ManyRanks, AFailureToRecordEndsAll) {
  const std::filesystem::path file = model_.folder / "run.h5";
  std::optional<Recorder> recorder;
  if (communicator_->rank() == 0) recorder = Recorder::create(file, {.run_id = "r", .config = "", .facts = {}});
  std::vector<std::unique_ptr<Monitor>> monitors;
  monitors.push_back(std::make_unique<Widening>());
  int announced = 0;
  RunObserver observer(std::move(monitors), {{"p", thirteen_prompts()}}, runner(), *communicator_,
                       recorder ? &*recorder : nullptr, [&](const std::string&) { ++announced; });
  observer.at_checkpoint(model_.decoder, 0, 0);
  observer.at_checkpoint(model_.decoder, 0, 0);  // committed: all ranks agree to skip it
  EXPECT_EQ(announced, communicator_->rank() == 0 ? 1 : 0);
  EXPECT_THAT(message_of([&] { observer.at_checkpoint(model_.decoder, 1, 10); }), HasSubstr("widening"));
  communicator_->sum(0, "still in step");
  if (recorder) {
    recorder->close();
    EXPECT_THAT(RunReader(file).steps(), testing::ElementsAre(0));
  }
}

}  // namespace
}  // namespace rim
