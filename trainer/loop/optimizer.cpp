#include "trainer/loop/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <set>
#include <sstream>
#include <string_view>

#include "data/support/error.h"

namespace rim {
namespace {

bool decays(const at::Tensor& parameter) { return parameter.dim() > 1; }

// One of the two parameter groups, as the lists the fused kernel takes.
struct Group {
  std::vector<at::Tensor> masters, gradients, first_moments, second_moments, steps;
};

constexpr std::string_view kFirstMoment = "exp_avg.";

// A run that trains more or fewer parameters than before is another run: what it leaves out would silently stay.
void require_same_parameters(const SafetensorsFile& state, const std::vector<NamedParameter>& parameters) {
  const auto refuse = [](const std::string& name, const std::string& what) {
    throw Error(ExitCode::config, "the checkpoint's run " + what + " '" + name +
                                      "'; resume with the same `trainable`, or start a new run from its weights "
                                      "(model.path)");
  };
  std::set<std::string> trained;
  for (const NamedParameter& parameter : parameters) {
    trained.insert(parameter.name);
    if (!state.contains(std::string(kFirstMoment) + parameter.name)) refuse(parameter.name, "did not train");
  }
  for (const std::string& name : state.names()) {
    if (!name.starts_with(kFirstMoment)) continue;
    const std::string parameter = name.substr(kFirstMoment.size());
    if (!trained.contains(parameter)) refuse(parameter, "also trained");
  }
}

// One tensor of a saved state, checked against the one it will be copied into.
at::Tensor stored(const SafetensorsFile& state, const std::string& name, const at::Tensor& like) {
  if (!state.contains(name)) throw Error(ExitCode::bad_data, "the optimizer's state has no '" + name + "'");
  const std::vector<std::int64_t> shape = state.shape(name);
  if (shape != like.sizes() || state.dtype(name) != like.scalar_type()) {
    std::ostringstream message;
    message << "the optimizer's state: '" << name << "' is " << state.dtype(name) << ' ' << at::IntArrayRef(shape)
            << ", but must be " << like.scalar_type() << ' ' << like.sizes();
    throw Error(ExitCode::bad_data, message.str());
  }
  return state.read(name);
}

}  // namespace

AdamW::AdamW(std::vector<NamedParameter> trainable, AdamWOptions options)
    : parameters_(std::move(trainable)), options_(options) {
  const at::NoGradGuard no_grad;
  for (const NamedParameter& parameter : parameters_) {
    // detach() shares the storage, to(kFloat) copies unless it is fp32 already.
    master_.push_back(parameter.tensor.detach().to(at::kFloat));
    first_moment_.push_back(at::zeros_like(master_.back()));
    second_moment_.push_back(at::zeros_like(master_.back()));
    steps_.push_back(at::zeros({}, master_.back().options()));
  }
}

void AdamW::read_masters(const std::function<at::Tensor(const std::string& name)>& read) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (has_master(i)) master_[i].copy_(read(parameters_[i].name));
  }
}

void AdamW::step(const std::vector<at::Tensor>& gradients, double learning_rate) {
  if (parameters_.empty()) return;
  const at::NoGradGuard no_grad;
  at::_foreach_add_(steps_, 1);
  for (const bool decayed : {true, false}) {
    Group group;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      if (decays(parameters_[i].tensor) != decayed) continue;
      group.masters.push_back(master_[i]);
      group.gradients.push_back(gradients[i]);
      group.first_moments.push_back(first_moment_[i]);
      group.second_moments.push_back(second_moment_[i]);
      group.steps.push_back(steps_[i]);
    }
    if (group.masters.empty()) continue;
    at::_fused_adamw_(group.masters, group.gradients, group.first_moments, group.second_moments, {}, group.steps,
                      learning_rate, options_.beta1, options_.beta2, decayed ? options_.weight_decay : 0.0,
                      options_.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (has_master(i)) parameters_[i].tensor.detach().copy_(master_[i]);
  }
}

bool AdamW::finite() const {
  if (master_.empty()) return true;
  const at::NoGradGuard no_grad;
  return at::stack(at::_foreach_norm(master_, 2)).isfinite().all().item<bool>();
}

bool AdamW::has_master(std::size_t parameter) const {
  return parameters_[parameter].tensor.scalar_type() != at::kFloat;
}

TensorMap AdamW::state() const {
  TensorMap state;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string& name = parameters_[i].name;
    if (has_master(i)) state["master." + name] = master_[i];
    state[std::string(kFirstMoment) + name] = first_moment_[i];
    state["exp_avg_sq." + name] = second_moment_[i];
  }
  if (!steps_.empty()) state["step"] = steps_.front().reshape({1});
  return state;
}

void AdamW::load_state(const SafetensorsFile& state) {
  if (parameters_.empty()) return;
  const at::NoGradGuard no_grad;
  require_same_parameters(state, parameters_);
  const at::Tensor step = stored(state, "step", steps_.front().reshape({1})).reshape({});
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string& name = parameters_[i].name;
    if (has_master(i)) master_[i].copy_(stored(state, "master." + name, master_[i]));
    first_moment_[i].copy_(stored(state, std::string(kFirstMoment) + name, first_moment_[i]));
    second_moment_[i].copy_(stored(state, "exp_avg_sq." + name, second_moment_[i]));
    steps_[i].copy_(step);
  }
}

at::Tensor clip_gradient_norm(const std::vector<at::Tensor>& gradients, double max_norm) {
  const at::NoGradGuard no_grad;
  if (gradients.empty()) return at::zeros({});
  const at::Tensor norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2)), 2);
  if (max_norm <= 0) return norm;
  const at::Tensor scale = norm.add(1e-6).reciprocal().mul(max_norm).clamp_max(1.0);
  // On the CPU looking costs nothing and mostly saves a pass over all gradients; on a GPU it would stall the queue.
  if (scale.is_cpu() && scale.item<float>() == 1.0F) return norm;
  at::_foreach_mul_(gradients, scale);
  return norm;
}

}  // namespace rim
