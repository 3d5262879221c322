// Lets Python references drive trainer/loop and trainer/checkpoint.
//   loop_tool schedule TYPE PEAK WARMUP TOTAL             prints the rate of each step, one a line
//   loop_tool adamw fp32|bf16 BETA1 BETA2 EPSILON DECAY RATE IN OUT
//        IN: w.<name>, g.<step>.<name> -> OUT: w.<name> after all steps, in the given dtype
//   loop_tool clip MAX_NORM IN OUT                        IN: gradients -> OUT: the same clipped, and "norm"
//   loop_tool train CONFIG fp32|bf16 OUTPUT_DIR STEPS SAVE_STEPS ACCUMULATION
//        trains a model initialised with seed 7 on seeded random samples, 8 rows a step, going on from the newest
//        checkpoint; weight decay 0.1, gradients clipped to 1, cosine schedule from 1e-3 after 2 steps of warm-up
//   loop_tool batches CONFIG STEPS                        prints each step's whole batch as one JSON object a line
#include <ATen/ATen.h>

#include <cstdio>
#include <iostream>

#include "data/support/error.h"
#include "data/support/random.h"
#include "trainer/loop/training_loop.h"

namespace {

using namespace rim;

at::ScalarType parse_dtype(const std::string& name) { return name == "bf16" ? at::kBFloat16 : at::kFloat; }

TensorMap read_all(const std::string& path) {
  const SafetensorsFile file(path);
  TensorMap tensors;
  for (const std::string& name : file.names()) tensors[name] = file.read(name);
  return tensors;
}

int schedule(const std::vector<std::string>& arguments) {
  const Schedule schedule{parse_scheduler_type(arguments.at(0)), std::stod(arguments.at(1)),
                          std::stoll(arguments.at(2)), std::stoll(arguments.at(3))};
  for (std::int64_t step = 0; step < schedule.total_steps; ++step) std::printf("%.17g\n", schedule.at(step));
  return 0;
}

int adamw(const std::vector<std::string>& arguments) {
  const at::ScalarType dtype = parse_dtype(arguments.at(0));
  const AdamWOptions options{std::stod(arguments.at(1)), std::stod(arguments.at(2)), std::stod(arguments.at(3)),
                             std::stod(arguments.at(4))};
  const TensorMap input = read_all(arguments.at(6));
  std::vector<NamedParameter> parameters;
  for (const auto& [name, tensor] : input) {
    if (name.starts_with("w.")) parameters.push_back({name.substr(2), tensor.to(dtype)});
  }
  AdamW optimizer(parameters, options);
  for (int step = 0; input.contains("g." + std::to_string(step) + "." + parameters.front().name); ++step) {
    std::vector<at::Tensor> gradients;
    for (const auto& parameter : parameters) {
      gradients.push_back(input.at("g." + std::to_string(step) + "." + parameter.name));
    }
    optimizer.step(gradients, std::stod(arguments.at(5)));
  }
  std::vector<std::pair<std::string, at::Tensor>> output;
  for (const auto& parameter : parameters) output.emplace_back("w." + parameter.name, parameter.tensor);
  write_safetensors(arguments.at(7), output);
  return 0;
}

int clip(const std::vector<std::string>& arguments) {
  const TensorMap input = read_all(arguments.at(1));
  std::vector<std::pair<std::string, at::Tensor>> output(input.begin(), input.end());
  std::vector<at::Tensor> gradients;
  for (const auto& [name, tensor] : output) gradients.push_back(tensor);
  output.emplace_back("norm", clip_gradient_norm(gradients, std::stod(arguments.at(0))).reshape({1}));
  write_safetensors(arguments.at(2), output);
  return 0;
}

std::vector<Sample> random_samples(std::int64_t vocabulary) {
  Random random(3);
  std::vector<Sample> samples(32);
  for (Sample& sample : samples) {
    for (std::uint64_t i = 0; i < 8 + random.below(16); ++i) {
      sample.tokens.push_back(static_cast<TokenId>(random.below(static_cast<std::uint64_t>(vocabulary))));
      sample.trained.push_back(i > 2 ? 1 : 0);
    }
  }
  return samples;
}

constexpr std::int64_t kRowsPerStep = 8;

int batches(const std::vector<std::string>& arguments) {
  const ModelConfig config = read_model_config(arguments.at(0));
  LoaderOptions options;
  options.rows_per_micro_batch = kRowsPerStep;
  const Loader loader(random_samples(config.vocabulary_size), {}, options);
  for (std::int64_t step = 0; step < std::stoll(arguments.at(1)); ++step) {
    const MicroBatch batch = loader.batch_for_step(step).micro_batches.at(0);
    std::cout << Json{{"rows", batch.rows}, {"tokens", batch.tokens}, {"targets", batch.targets}} << '\n';
  }
  return 0;
}

int train_model(const std::vector<std::string>& arguments, const MpiSession& session) {
  use_fair_share_of_cores(session);
  const auto communicator = make_mpi_communicator({std::chrono::seconds(60)});
  const ModelConfig config = read_model_config(arguments.at(0));
  Decoder model(config, parse_dtype(arguments.at(1)), at::kCPU);
  model.initialize(7);
  TrainingOptions options;
  options.output_dir = arguments.at(2);
  options.max_steps = std::stoll(arguments.at(3));
  options.save_steps = std::stoll(arguments.at(4));
  options.save_total_limit = 2;
  options.schedule = {SchedulerType::cosine, 1e-3, 2, options.max_steps};
  options.optimizer.weight_decay = 0.1;
  options.resume_from_checkpoint = "auto";
  LoaderOptions loader;
  loader.accumulation_steps = std::stoll(arguments.at(5));
  loader.rows_per_micro_batch = kRowsPerStep / communicator->size() / loader.accumulation_steps;
  loader.rank = communicator->rank();
  loader.world_size = communicator->size();
  const Loader samples(random_samples(config.vocabulary_size), {}, loader);
  const auto result = train(model, samples, options, *communicator, nullptr, nullptr, {});
  if (communicator->rank() == 0) std::cout << result.last_checkpoint.string() << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  const std::vector<std::string> arguments(argv + std::min(argc, 2), argv + argc);
  try {
    if (verb == "schedule") return schedule(arguments);
    if (verb == "adamw") return adamw(arguments);
    if (verb == "clip") return clip(arguments);
    if (verb == "batches") return batches(arguments);
    const rim::MpiSession session(argc, argv);
    try {
      if (verb == "train") return train_model(arguments, session);
    } catch (const rim::Error& error) {
      std::cerr << error.what() << '\n';
      session.abort(static_cast<int>(error.code()));
    }
    std::cerr << "unknown verb '" << verb << "'\n";
    return 64;
  } catch (const rim::Error& error) {
    std::cerr << error.what() << '\n';
    return static_cast<int>(error.code());
  }
}
