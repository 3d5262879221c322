// What is saved comes back bit-equal; what is damaged, cut short or does not fit on the disk is never taken for whole.
#include "trainer/checkpoint/checkpoint.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "data/support/error.h"
#include "data/support/files.h"
#include "data/support/sha256.h"
#include "tests/trainer/alone.h"
#include "tests/trainer/tiny_model.h"
#include "trainer/checkpoint/checkpoint_folders.h"

namespace {

namespace fs = std::filesystem;
using namespace rim;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointTest() { write_file_atomically(shared_.path() / "tokenizer.json", "{\"a\": 1}"); }

  [[nodiscard]] CheckpointContent content(std::int64_t step, const Decoder& model) const {
    CheckpointContent result;
    result.step = step;
    result.progress = {{"tokens", 17}, {"run_id", "tiny"}};
    result.weights = model.parameters();
    result.model_config = model.config().source;
    result.optimizer_state = {{"step", at::full({1}, 3.0)}, {"exp_avg.x", at::rand({4, 5})}};
    result.observer_state = {{"chosen", at::arange(7)}};
    return result;
  }
  fs::path save(std::int64_t step, std::uint64_t seed = 1) {
    return save_checkpoint(folder_, content(step, rim::testing::tiny_decoder(at::kFloat, seed)),
                           {shared_.path() / "tokenizer.json"});
  }

  rim::testing::AloneCommunicator alone_;
  rim::testing::SharedFolder shared_{alone_};
  const fs::path folder_ = shared_.path() / "checkpoints";
  std::vector<std::string> notes_;
};

std::vector<std::string> entries(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

TEST_F(CheckpointTest, ComesBackBitEqual) {
  const Decoder model = rim::testing::tiny_decoder(at::kBFloat16, 4);
  const CheckpointContent saved = content(200, model);
  const fs::path folder = save_checkpoint(folder_, saved, {shared_.path() / "tokenizer.json"});
  EXPECT_EQ(folder, folder_ / "step-000200");
  EXPECT_THAT(entries(folder), ElementsAre("DONE", "config.json", "model.safetensors", "observer.safetensors",
                                           "optimizer.safetensors", "tokenizer.json", "trainer-state.json"));
  Decoder other = rim::testing::tiny_decoder(at::kBFloat16, 5);
  const LoadedCheckpoint loaded = load_checkpoint(folder, other);
  EXPECT_EQ(loaded.step, 200);
  EXPECT_EQ(loaded.progress, saved.progress);
  for (std::size_t i = 0; i < saved.weights.size(); ++i) {
    EXPECT_TRUE(at::equal(other.parameters()[i].tensor, saved.weights[i].tensor)) << saved.weights[i].name;
  }
  for (const auto& [name, tensor] : saved.optimizer_state) {
    EXPECT_TRUE(at::equal(loaded.optimizer_state.read(name), tensor)) << name;
  }
  EXPECT_TRUE(at::equal(loaded.observer_state.at("chosen"), at::arange(7)));
}

TEST_F(CheckpointTest, ConfigNamesTheSavedDtype) {
  const Json config = read_json_file(save(1) / "config.json");
  EXPECT_EQ(config.at("torch_dtype"), "float32");
  EXPECT_EQ(config.at("model_type"), "qwen3");
  CheckpointContent newer = content(2, rim::testing::tiny_decoder(at::kBFloat16));
  newer.model_config["dtype"] = "float32";
  newer.model_config["torch_dtype"] = "float16";
  const Json rewritten = read_json_file(save_checkpoint(folder_, newer, {}) / "config.json");
  EXPECT_EQ(rewritten.at("dtype"), "bfloat16");
  EXPECT_FALSE(rewritten.contains("torch_dtype"));
}

TEST_F(CheckpointTest, DigestsTakenWhileWritingAreThoseOfTheFiles) {
  const fs::path folder = save(1);
  const Json files = read_json_file(folder / "trainer-state.json").at("files");
  EXPECT_EQ(files.size(), 5U);  // all but trainer-state.json and DONE
  for (const auto& [name, saved] : files.items()) {
    const FileDigest read = digest_file(folder / name);
    EXPECT_EQ(saved, (Json{{"bytes", read.bytes}, {"sha256", read.sha256}})) << name;
  }
}

TEST_F(CheckpointTest, EveryFlippedByteIsNoticedAndNamed) {
  for (const std::string& name : entries(save(1))) {
    const fs::path file = save(1) / name;
    const auto middle = static_cast<std::streamoff>(fs::file_size(file) / 2);
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(middle);
    const char flipped = static_cast<char>(stream.get() ^ 1);
    stream.seekp(middle);
    stream.put(flipped);
    stream.close();
    try {
      verify_checkpoint(folder_ / "step-000001");
      ADD_FAILURE() << name << " was flipped and accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data);
      // DONE is the digest of trainer-state.json: which of the two is wrong cannot be known.
      EXPECT_THAT(error.what(), HasSubstr(name == "DONE" ? "trainer-state.json" : name));
    }
  }
}

TEST_F(CheckpointTest, TruncatedAndMissingFilesAreNamed) {
  const auto message = [&]() -> std::string {
    try {
      verify_checkpoint(folder_ / "step-000001");
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  fs::resize_file(save(1) / "optimizer.safetensors", 40);
  EXPECT_THAT(message(), AllOf(HasSubstr("optimizer.safetensors"), HasSubstr("40 bytes instead of")));
  fs::remove(save(1) / "tokenizer.json");
  EXPECT_THAT(message(), AllOf(HasSubstr("tokenizer.json"), HasSubstr("missing")));
  fs::remove(save(1) / "DONE");
  EXPECT_THAT(message(), HasSubstr("no DONE"));
}

TEST_F(CheckpointTest, WithoutAnOptimizersStateThereIsNothingToGoOnFrom) {
  Decoder model = rim::testing::tiny_decoder();
  CheckpointContent weights_alone = content(1, model);
  weights_alone.optimizer_state.clear();
  const fs::path folder = save_checkpoint(folder_, weights_alone, {});
  try {
    load_checkpoint(folder, model);
    FAIL() << "no optimizer state was saved";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    EXPECT_THAT(error.what(), HasSubstr("step-000001: has no optimizer.safetensors"));
  }
}

TEST_F(CheckpointTest, NewestSkipsDamagedAndUnfinishedOnesWithANoteEach) {
  EXPECT_EQ(newest_checkpoint(folder_, notes_), std::nullopt);
  save(2);
  fs::resize_file(save(4) / "model.safetensors", 9);
  fs::remove(save(6) / "DONE");
  fs::create_directories(folder_ / "step-000008.incomplete");
  EXPECT_EQ(newest_checkpoint(folder_, notes_), folder_ / "step-000002");
  ASSERT_EQ(notes_.size(), 3U);
  EXPECT_THAT(notes_[0], HasSubstr("step-000006"));
  EXPECT_THAT(notes_[1], HasSubstr("step-000008.incomplete"));
  EXPECT_THAT(notes_[2], HasSubstr("step-000004/model.safetensors"));
}

TEST_F(CheckpointTest, StepsAreOrderedAsNumbers) {
  save(999999);
  save(1000000);
  EXPECT_EQ(newest_checkpoint(folder_, notes_), folder_ / "step-1000000");
  fs::create_directories(folder_ / "step-12");  // no name of ours
  EXPECT_EQ(list_checkpoints(folder_).size(), 2U);
}

TEST_F(CheckpointTest, PruneKeepsTheNewestAndRemovesLeftovers) {
  for (const std::int64_t step : {1, 2, 3}) save(step);
  fs::create_directories(folder_ / "step-000004.incomplete");
  EXPECT_THAT(prune_checkpoints(folder_, 2), IsEmpty());
  EXPECT_THAT(entries(folder_), ElementsAre("step-000002", "step-000003"));
  prune_checkpoints(folder_, 0);  // never the last one
  EXPECT_THAT(entries(folder_), ElementsAre("step-000003"));
}

TEST_F(CheckpointTest, PruneLeavesWhatIsNotOurs) {
  for (const char* foreign : {"step-000000", "step-000009", "step-9.incomplete", "step-mine.incomplete", "other"}) {
    fs::create_directories(folder_ / foreign);
    write_file_atomically(folder_ / foreign / "model.safetensors", "mine");
  }
  for (const std::int64_t step : {1, 2, 3}) save(step);
  fs::create_directories(folder_ / "step-000002.replaced.incomplete");
  fs::remove(save(4) / "DONE");
  EXPECT_THAT(prune_checkpoints(folder_, 1), IsEmpty());
  EXPECT_THAT(entries(folder_), ElementsAre("other", "step-000000", "step-000003", "step-000009", "step-9.incomplete",
                                            "step-mine.incomplete"));
  try {
    save(9);
    FAIL() << "a stranger's folder was replaced";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input_output);
    EXPECT_THAT(error.what(), HasSubstr("step-000009: is no checkpoint"));
  }
  EXPECT_EQ(read_text_file(folder_ / "step-000009/model.safetensors"), "mine");
}

TEST_F(CheckpointTest, ACheckpointThatCannotBeRemovedIsNoted) {
  for (const std::int64_t step : {1, 2}) save(step);
  fs::remove(folder_ / "step-000001/DONE");
  fs::create_directories(folder_ / "step-000001/DONE/full");  // in the way of the first thing that is removed
  fs::create_directories(folder_ / "step-000003.incomplete");
  const auto notes = prune_checkpoints(folder_, 1);
  EXPECT_THAT(notes, ElementsAre(HasSubstr("step-000001: cannot be removed: ")));
  EXPECT_EQ(newest_checkpoint(folder_, notes_), folder_ / "step-000002");
}

TEST_F(CheckpointTest, SavingAStepAgainReplacesIt) {
  save(1, 1);
  const fs::path folder = save(1, 2);
  EXPECT_THAT(entries(folder_), ElementsAre("step-000001"));
  Decoder model = rim::testing::tiny_decoder();
  load_checkpoint(folder, model);
  EXPECT_TRUE(
      at::equal(model.parameters()[0].tensor, rim::testing::tiny_decoder(at::kFloat, 2).parameters()[0].tensor));
}

TEST_F(CheckpointTest, AFullDiskLeavesTheOldCheckpointAndNothingElse) {
  save(1);
  // A limit on file sizes stands for the full disk: write() fails in the same place.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{2000, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string message = "accepted";
  try {
    save(2);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input_output);
    message = error.what();
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, HasSubstr("step-000002.incomplete/model.safetensors"));
  EXPECT_THAT(entries(folder_), ElementsAre("step-000001"));
  EXPECT_EQ(newest_checkpoint(folder_, notes_), folder_ / "step-000001");
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(CheckpointTest, AManifestCannotPointOutsideItsFolder) {
  const fs::path folder = save(1);
  Json state = read_json_file(folder / "trainer-state.json");
  state["files"]["../tokenizer.json"] = state["files"]["tokenizer.json"];
  write_file_atomically(folder / "trainer-state.json", state.dump());
  write_file_atomically(folder / "DONE", sha256_hex(state.dump()) + '\n');
  Decoder model = rim::testing::tiny_decoder();
  EXPECT_THROW(load_checkpoint(folder, model), Error);
}

}  // namespace
