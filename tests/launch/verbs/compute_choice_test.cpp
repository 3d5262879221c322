#include "launch/verbs/compute_choice.h"

#include <gtest/gtest.h>

#include "tests/trainer/alone.h"

namespace rim {
namespace {

ModelConfig model_of_width(std::int64_t width) {
  ModelConfig config;
  config.hidden_size = width;
  return config;
}

at::ScalarType on_cpu(const std::string& wanted, std::int64_t width, double gain) {
  return choose_dtype(wanted, at::kCPU, model_of_width(width), {}, gain).dtype;
}

at::ScalarType on_gpu(int compute_major) {
  GpuSurvey survey;
  survey.gpus.emplace_back().compute_major = compute_major;
  return choose_dtype("auto", at::Device(at::kCUDA, 0), model_of_width(128), survey, 0).dtype;
}

TEST(ComputeChoice, AutoTakesBfloat16WhereItIsFasterAndTheModelIsWide) {
  EXPECT_EQ(on_cpu("auto", 128, 1.7), at::kBFloat16);
  EXPECT_EQ(on_cpu("auto", 127, 1.7), at::kFloat);
  EXPECT_EQ(on_cpu("auto", 4096, 0.55), at::kFloat);
  EXPECT_EQ(on_cpu("auto", 4096, 0), at::kFloat);
  EXPECT_EQ(on_gpu(8), at::kBFloat16);
  EXPECT_EQ(on_gpu(7), at::kFloat);
}

TEST(ComputeChoice, TheGainIsAFiniteRatioOrNone) {
  Hardware hardware;
  EXPECT_EQ(bfloat16_gain(hardware), 0) << "without instructions nothing is measured";
  hardware.bfloat16_instructions = true;
  EXPECT_GT(bfloat16_gain(hardware), 0);
  EXPECT_LT(bfloat16_gain(hardware), 1000);
  testing::AloneCommunicator alone;
  EXPECT_GT(bfloat16_gain(hardware, alone), 0);
  hardware.bfloat16_instructions = false;
  EXPECT_EQ(bfloat16_gain(hardware, alone), 0);
}

TEST(ComputeChoice, WhatTheUserSaysIsTaken) {
  EXPECT_EQ(on_cpu("float32", 4096, 1.7), at::kFloat);
  EXPECT_EQ(on_cpu("bfloat16", 64, 0), at::kBFloat16);
}

TEST(ComputeChoice, WithoutGpusAutoIsTheProcessorAndCudaIsRefusedWithTheReason) {
  const GpuSurvey none{.gpus = {}, .problem = "no NVIDIA driver"};
  EXPECT_EQ(choose_device("auto", 0, none).device, at::Device(at::kCPU));
  EXPECT_EQ(choose_device("auto", 0, none).gpu_note, "") << "nobody expects a GPU there";
  EXPECT_EQ(choose_device("cpu", 0, none).device, at::Device(at::kCPU));
  try {
    choose_device("cuda", 0, none);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_NE(std::string(error.what()).find("no NVIDIA driver"), std::string::npos);
  }
}

TEST(ComputeChoice, AGpuNodeThatComputesOnItsProcessorSaysWhy) {
  GpuSurvey hidden{.gpus = {}, .problem = "the driver shows no GPU", .driver_version = 13000};
  EXPECT_EQ(choose_device("auto", 0, hidden).gpu_note, "the driver shows no GPU");
  EXPECT_EQ(choose_device("cpu", 0, hidden).gpu_note, "") << "as the user wished";
}

// One GPU visible to each task is how Slurm hands them out: the numbers on a host say nothing, the identities do.
TEST(ComputeChoice, NcclWantsAGpuForEachRankAndSaysWhatIsInTheWay) {
  const RankGpu first{.uuid = "aa", .place = "host 0000:01:00.0", .problem = ""};
  const RankGpu second{.uuid = "bb", .place = "host 0000:02:00.0", .problem = ""};
  const RankGpu elsewhere{.uuid = "cc", .place = "other 0000:01:00.0", .problem = ""};
  EXPECT_EQ(obstacle_to_nccl({first, second, elsewhere}), "");
  EXPECT_EQ(obstacle_to_nccl({first, elsewhere, first}), "rank 0 and rank 2 share a GPU");
  const RankGpu slice{.uuid = "dd", .place = first.place, .problem = ""};
  EXPECT_EQ(obstacle_to_nccl({first, slice}), "rank 0 and rank 1 share a GPU");
  const RankGpu broken{.uuid = "bb", .place = second.place, .problem = "it does not load"};
  EXPECT_EQ(obstacle_to_nccl({first, broken}), "rank 1: it does not load");
  const RankGpu nameless{.uuid = "", .place = "host 0000:03:00.0", .problem = ""};
  EXPECT_EQ(obstacle_to_nccl({first, nameless}), "");
}

}  // namespace
}  // namespace rim
