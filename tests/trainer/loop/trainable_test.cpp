#include "trainer/loop/trainable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/support/error.h"
#include "tests/trainer/tiny_model.h"

namespace {

using namespace rim;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> names(const std::vector<NamedParameter>& parameters) {
  std::vector<std::string> result;
  for (const auto& parameter : parameters) result.push_back(parameter.name);
  return result;
}

TEST(Trainable, NoPatternTrainsEverything) {
  const Decoder model = rim::testing::tiny_decoder();
  EXPECT_EQ(select_trainable(model, {}).size(), model.parameters().size());
}

TEST(Trainable, PatternsChooseAndTheRestIsFrozen) {
  const Decoder model = rim::testing::tiny_decoder();
  const auto chosen = select_trainable(model, {"model.layers.1.mlp.*", "model.norm.[w]eight"});
  EXPECT_THAT(names(chosen), ElementsAre("model.layers.1.mlp.gate_proj.weight", "model.layers.1.mlp.up_proj.weight",
                                         "model.layers.1.mlp.down_proj.weight", "model.norm.weight"));
  std::size_t training = 0;
  for (const auto& parameter : model.parameters()) training += parameter.tensor.requires_grad() ? 1U : 0U;
  EXPECT_EQ(training, 4U);
}

TEST(Trainable, APatternThatMatchesNothingIsAnError) {
  try {
    select_trainable(rim::testing::tiny_decoder(), {"model.*", "model.layers.7.*"});
    FAIL() << "there are two layers";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_THAT(error.what(), HasSubstr("'model.layers.7.*'"));
  }
}

}  // namespace
