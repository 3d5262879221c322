// AdamW with decoupled weight decay (arXiv 1711.05101), fused, on fp32 master weights. Nothing here is collective:
// ranks with equal gradients take equal steps. Not thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "trainer/model/named_parameter.h"
#include "trainer/model/safetensors.h"

namespace rim {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;  // not applied to norms and biases (one-dimensional parameters)
};

class AdamW {
 public:
  // fp32 parameters are their own master; for bf16 ones an fp32 copy is kept and rounded into the model after each
  // step.
  AdamW(std::vector<NamedParameter> trainable, AdamWOptions options);
  // Takes master weights at the precision they are stored in, where bf16 parameters are rounded ones. `read` gives a
  // parameter by its name, one at a time; fp32 parameters are left as they are.
  void read_masters(const std::function<at::Tensor(const std::string& name)>& read);
  // gradients: fp32, one per parameter. Numbers equal torch.optim.AdamW(fused=True).
  void step(const std::vector<at::Tensor>& gradients, double learning_rate);
  // False where a trained weight is NaN or infinite. Waits for the device.
  [[nodiscard]] bool finite() const;
  // "master.<name>" (bf16 models), "exp_avg.<name>", "exp_avg_sq.<name>", "step". The tensors share their storage with
  // the optimizer: write them out before the next step.
  [[nodiscard]] TensorMap state() const;
  // Reads one tensor at a time. Throws Error(config) where the state is of more or fewer parameters, Error(bad_data)
  // naming what is missing or misshapen.
  void load_state(const SafetensorsFile& state);

 private:
  [[nodiscard]] bool has_master(std::size_t parameter) const;

  std::vector<NamedParameter> parameters_;
  AdamWOptions options_;
  std::vector<at::Tensor> master_, first_moment_, second_moment_, steps_;
};

// L2 norm over all gradients (fp32 scalar tensor on their device), as torch.nn.utils.clip_grad_norm_ measures it, and
// scaling by max_norm / (norm + 1e-6) where that is below 1. max_norm <= 0: measure only.
at::Tensor clip_gradient_norm(const std::vector<at::Tensor>& gradients, double max_norm);

}  // namespace rim
