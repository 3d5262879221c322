#include "launch/verbs/compute_choice.h"

#include <gtest/gtest.h>

namespace rim {
namespace {

ModelConfig model_of_width(std::int64_t width) {
  ModelConfig config;
  config.hidden_size = width;
  return config;
}

at::ScalarType on_cpu(const std::string& wanted, std::int64_t width, bool instructions) {
  Hardware hardware;
  hardware.bfloat16_instructions = instructions;
  return choose_dtype(wanted, at::kCPU, model_of_width(width), {}, hardware).dtype;
}

at::ScalarType on_gpu(int compute_major) {
  GpuSurvey survey;
  survey.gpus.push_back({.name = "a GPU", .compute_major = compute_major});
  return choose_dtype("auto", at::Device(at::kCUDA, 0), model_of_width(128), survey, {}).dtype;
}

TEST(ComputeChoice, AutoTakesBfloat16WhereTheProcessorHasItAndTheModelIsWide) {
  EXPECT_EQ(on_cpu("auto", 128, true), at::kBFloat16);
  EXPECT_EQ(on_cpu("auto", 127, true), at::kFloat);
  EXPECT_EQ(on_cpu("auto", 4096, false), at::kFloat);
  EXPECT_EQ(on_gpu(8), at::kBFloat16);
  EXPECT_EQ(on_gpu(7), at::kFloat);
}

TEST(ComputeChoice, WhatTheUserSaysIsTaken) {
  EXPECT_EQ(on_cpu("float32", 4096, true), at::kFloat);
  EXPECT_EQ(on_cpu("bfloat16", 64, false), at::kBFloat16);
}

TEST(ComputeChoice, WithoutGpusAutoIsTheProcessorAndCudaIsRefusedWithTheReason) {
  const GpuSurvey none{.gpus = {}, .problem = "no NVIDIA driver"};
  EXPECT_EQ(choose_device("auto", 0, none), at::Device(at::kCPU));
  EXPECT_EQ(choose_device("cpu", 0, none), at::Device(at::kCPU));
  try {
    choose_device("cuda", 0, none);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_NE(std::string(error.what()).find("no NVIDIA driver"), std::string::npos);
  }
}

}  // namespace
}  // namespace rim
