// Lets Python references drive trainer/model. Tensors go in and out as safetensors files.
//   model_tool forward  MODEL fp32|bf16 IN OUT   IN: tokens, targets -> logits, loss, and every parameter's gradient
//   model_tool taps     MODEL fp32|bf16 IN OUT   IN: tokens          -> every tap's tensor by its name
//   model_tool save     MODEL fp32|bf16 FOLDER SHARD_BYTES           loads and writes the weights again
//   model_tool initialize CONFIG fp32|bf16 SEED FOLDER               writes freshly initialised weights
//   model_tool generate MODEL fp32|bf16 IN.json                      {prompts, max_new_tokens, stop_tokens, batch_size}
//   model_tool bench    CONFIG fp32|bf16 ROWS TIME                   seconds of each forward + backward pass
//   model_tool names    FILE.safetensors...                          [[name, ...] or "error", ...] for each file
#include <ATen/ATen.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <span>

#include "data/support/error.h"
#include "data/support/files.h"
#include "trainer/model/decoder.h"
#include "trainer/model/generation.h"

namespace {

using rim::Decoder;
using rim::Json;
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

at::ScalarType dtype_named(const std::string& name) { return name == "bf16" ? at::kBFloat16 : at::kFloat; }

void train_all(const Decoder& model) {
  for (auto& [name, tensor] : model.parameters()) tensor.set_requires_grad(true);
}

void forward(const Decoder& model, const std::string& input, const std::string& output) {
  const rim::SafetensorsFile file(input);
  const at::Tensor tokens = file.read("tokens");
  train_all(model);
  const at::Tensor loss = model.loss_sum(tokens, file.read("targets"));
  // A factor that is no power of two, as the trainer's 1 / (number of tokens), so that its rounding is tested too.
  (loss / 3.0).backward();
  NamedTensors results = {{"loss", loss}};
  for (const auto& [name, tensor] : model.parameters()) results.emplace_back("gradient." + name, tensor.grad());
  results.emplace_back("logits", model.logits(model.hidden_states(tokens)));
  rim::write_safetensors(output, results);
}

class Recording : public rim::TapListener {
 public:
  [[nodiscard]] bool wants(rim::TapSite, std::int64_t) const override { return true; }
  void at(rim::TapSite site, std::int64_t layer, at::Tensor& value) override {
    tensors.emplace_back(rim::tap_name(site, layer), value.clone());
  }
  NamedTensors tensors;
};

void taps(const Decoder& model, const std::string& input, const std::string& output) {
  Recording recording;
  recording.tensors.emplace_back("hidden", model.hidden_states(rim::SafetensorsFile(input).read("tokens"), &recording));
  rim::write_safetensors(output, recording.tensors);
}

void save(const Decoder& model, const std::string& folder, std::int64_t shard_bytes) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : model.parameters()) tensors.emplace_back(name, tensor);
  rim::write_weight_folder(folder, tensors, shard_bytes);
}

void generate(const Decoder& model, const Json& request) {
  rim::GenerationOptions options;
  options.max_new_tokens = request.at("max_new_tokens").get<std::int64_t>();
  options.stop_tokens = request.at("stop_tokens").get<std::vector<std::int64_t>>();
  options.batch_size = request.at("batch_size").get<std::int64_t>();
  Json reply = Json::array();
  for (const auto& result :
       rim::generate_greedily(model, request.at("prompts").get<std::vector<std::vector<std::int64_t>>>(), options)) {
    reply.push_back({{"tokens", result.tokens}, {"stopped", result.stopped}});
  }
  std::cout << reply << "\n";
}

// Waits for a line on standard input before each step, so that two programs can be timed in turns on the same cores.
void bench(Decoder& model, std::int64_t rows, std::int64_t time) {
  model.initialize(1);
  train_all(model);
  const at::Tensor tokens = at::randint(model.config().vocabulary_size, {rows, time}, at::kLong);
  const at::Tensor targets = at::randint(model.config().vocabulary_size, {rows, time}, at::kLong);
  for (std::string line; std::getline(std::cin, line);) {
    const auto start = std::chrono::steady_clock::now();
    const at::Tensor loss = model.loss_sum(tokens, targets) / static_cast<double>(rows * time);
    const auto middle = std::chrono::steady_clock::now();
    loss.backward();
    const auto end = std::chrono::steady_clock::now();
    for (auto& [name, tensor] : model.parameters()) tensor.mutable_grad().reset();
    std::cout << std::chrono::duration<double>(middle - start).count() << " "
              << std::chrono::duration<double>(end - middle).count() << std::endl;
  }
}

void names(const std::vector<std::string>& files) {
  Json reply = Json::array();
  for (const std::string& file : files) {
    try {
      reply.push_back(rim::SafetensorsFile(file).names());
    } catch (const rim::Error& error) {
      reply.push_back(error.what());
    }
  }
  std::cout << reply << "\n";
}

void run(const std::vector<std::string>& arguments) {
  const std::string& verb = arguments.at(0);
  if (verb == "names") return names({arguments.begin() + 1, arguments.end()});
  const at::ScalarType dtype = dtype_named(arguments.at(2));
  if (verb == "bench" || verb == "initialize") {
    Decoder model(rim::read_model_config(arguments.at(1)), dtype, at::kCPU);
    if (verb == "bench") return bench(model, std::stoll(arguments.at(3)), std::stoll(arguments.at(4)));
    model.initialize(std::stoull(arguments.at(3)));
    return save(model, arguments.at(4), std::int64_t{1} << 40);
  }
  const Decoder model = rim::load_decoder(arguments.at(1), dtype, at::kCPU);
  if (verb == "forward") return forward(model, arguments.at(3), arguments.at(4));
  if (verb == "taps") return taps(model, arguments.at(3), arguments.at(4));
  if (verb == "save") return save(model, arguments.at(3), std::stoll(arguments.at(4)));
  if (verb == "generate") return generate(model, rim::read_json_file(arguments.at(3)));
  throw rim::Error(rim::ExitCode::usage, "unknown verb '" + verb + "'");
}

}  // namespace

int main(int count, char** values) {
  try {
    const std::span<char*> arguments(values, static_cast<std::size_t>(count));
    run({arguments.begin() + 1, arguments.end()});
    return 0;
  } catch (const rim::Error& error) {
    std::cerr << "error: " << error.what() << "\n";
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::cerr << "unexpected: " << error.what() << "\n";
    return 1;
  }
}
