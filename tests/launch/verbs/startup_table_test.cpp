#include "launch/verbs/startup_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kGibibyte = 1 << 30;

RankFacts on_cpu(const std::string& host) {
  RankFacts facts;
  facts.host = host;
  facts.device = "cpu";
  return facts;
}

RankFacts on_gpu(const std::string& host, const std::string& address, std::int64_t gibibytes) {
  RankFacts facts;
  facts.host = host;
  facts.device = "cuda:0";
  facts.gpu_identity = address;
  facts.gpu_memory_bytes = gibibytes << 30;
  return facts;
}

TEST(StartupTable, MemoryOnProcessorsIsComparedWithTheHosts) {
  const std::vector<RankFacts> ranks{on_cpu("a"), on_cpu("a"), on_cpu("b")};
  EXPECT_EQ(memory_text(kGibibyte, ranks, 3 * kGibibyte), "about 1.0 GiB a rank, 2.0 GiB on a host; 3.0 GiB free here");
  EXPECT_THAT(memory_text(2 * kGibibyte, ranks, 3 * kGibibyte), HasSubstr("WARNING: more than is free"));
}

TEST(StartupTable, MemoryOnGpusIsComparedWithTheTightestOne) {
  const std::vector<RankFacts> own{on_gpu("a", "0000:01", 80), on_gpu("a", "0000:02", 80), on_gpu("b", "0000:01", 40)};
  EXPECT_EQ(memory_text(30 * kGibibyte, own, kGibibyte), "about 30.0 GiB a rank, 30.0 GiB on a GPU of 40.0 GiB");
  EXPECT_THAT(memory_text(50 * kGibibyte, own, kGibibyte), HasSubstr("WARNING: more than the GPU has"));
  const std::vector<RankFacts> shared{on_gpu("a", "0000:01", 80), on_gpu("a", "0000:01", 80)};
  EXPECT_THAT(memory_text(30 * kGibibyte, shared, kGibibyte), HasSubstr("60.0 GiB on a GPU of 80.0 GiB"));
  EXPECT_THAT(memory_text(50 * kGibibyte, shared, kGibibyte), HasSubstr("WARNING"));
}

TEST(StartupTable, LengthsBeyondTheModelsPositionsAreWarnedAbout) {
  EXPECT_EQ(length_warning("the longest sample", 2048, 2048), "");
  EXPECT_EQ(
      length_warning("the longest sample", 2049, 2048),
      "\n              WARNING: the longest sample has 2,049 tokens, more than the 2,048 positions that the model "
      "was made for (max_position_embeddings)");
}

TEST(StartupTable, GpusThatStayUnusedAreWarnedAboutOncePerHost) {
  RankFacts unused = on_cpu("a");
  unused.gpu_note = "the driver is too old";
  EXPECT_EQ(devices_text({unused, unused, on_cpu("b")}),
            "rank 0: cpu, rank 1: cpu, rank 2: cpu\n"
            "              WARNING: no GPU is used on a: the driver is too old");
  EXPECT_THAT(devices_text({on_cpu("a")}), Not(HasSubstr("WARNING")));
}

}  // namespace
}  // namespace rim
