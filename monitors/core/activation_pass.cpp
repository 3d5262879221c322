#include "monitors/core/activation_pass.h"

#include <ATen/ops/bmm.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <map>
#include <optional>

#include "data/support/error.h"
#include "monitors/core/neuron_scaling.h"
#include "monitors/core/probe_sequence.h"
#include "monitors/core/token_batches.h"

namespace rim {
namespace {

// Requests that one forward pass per batch can serve.
using Group = std::vector<std::size_t>;

bool share_a_pass(const ActivationRequest& one, const ActivationRequest& other) {
  return one.prompt_set == other.prompt_set && one.thinking == other.thinking && one.intervention == other.intervention;
}

std::vector<Group> grouped(const std::vector<ActivationRequest>& requests) {
  std::vector<Group> groups;
  for (std::size_t handle = 0; handle < requests.size(); ++handle) {
    const auto fits = [&](const Group& group) { return share_a_pass(requests[group.front()], requests[handle]); };
    const auto found = std::ranges::find_if(groups, fits);
    if (found != groups.end()) {
      found->push_back(handle);
    } else {
      groups.push_back({handle});
    }
  }
  return groups;
}

// Per batch row, the weight of each position in the region's mean: fp32 [rows, 1, time], rows sum to one.
at::Tensor mean_weights(const std::vector<TokenRange>& ranges, std::int64_t time, at::Device device) {
  at::Tensor weights = at::zeros({static_cast<std::int64_t>(ranges.size()), 1, time}, at::kFloat);
  for (std::size_t row = 0; row < ranges.size(); ++row) {
    const TokenRange& range = ranges[row];
    weights.select(0, static_cast<std::int64_t>(row))
        .slice(1, range.begin, range.end)
        .fill_(1.0 / static_cast<double>(range.end - range.begin));
  }
  return weights.to(device);
}

// Reduces taps to means while the forward pass runs; nothing wider than one layer is held.
class MeanTap : public TapListener {
 public:
  struct Slot {
    TapSite site;
    at::Tensor weights;  // fp32 [rows, 1, time]
    at::Tensor result;   // fp32 [prompts, layers, width]
  };
  MeanTap(std::vector<Slot> slots, at::Tensor prompts, NeuronScaling* scaling)
      : slots_(std::move(slots)), prompts_(std::move(prompts)), scaling_(scaling) {}

  [[nodiscard]] bool wants(TapSite site, std::int64_t layer) const override {
    return (scaling_ != nullptr && scaling_->wants(site, layer)) ||
           std::ranges::any_of(slots_, [&](const Slot& slot) { return slot.site == site; });
  }

  void at(TapSite site, std::int64_t layer, at::Tensor& value) override {
    if (scaling_ != nullptr) scaling_->at(site, layer, value);
    at::Tensor precise;  // converted once, whatever the number of regions
    for (const Slot& slot : slots_) {
      if (slot.site != site) continue;
      if (!precise.defined()) precise = value.to(at::kFloat);
      slot.result.select(1, layer).index_copy_(0, prompts_, at::bmm(slot.weights, precise).squeeze(1));
    }
  }

 private:
  std::vector<Slot> slots_;
  at::Tensor prompts_;  // int64 [rows]: where the batch's rows belong in the results
  NeuronScaling* scaling_;
};

// One group's forward passes on this rank.
class GroupPass {
 public:
  GroupPass(const ProbeContext& context, const Group& group, std::vector<at::Tensor>& results)
      : context_(context),
        group_(group),
        results_(results),
        first_(context.plan.activations()[group.front()]),
        set_(context.plan.prompt_set(first_.prompt_set)),
        scaling_(neuron_scaling(first_.intervention, context.model)),
        sequences_(encoded()) {}

  std::int64_t run() {
    std::vector<std::int64_t> lengths;
    for (const ProbeSequence& sequence : sequences_) lengths.push_back(std::ssize(sequence.tokens));
    const auto own = dealt_to_rank(lengths, context_.rank, context_.ranks);
    const auto batches = cut_into_batches(own, lengths, context_.options.batch_tokens);
    for (const auto& batch : batches) forward(batch);
    return std::ssize(batches);
  }

 private:
  [[nodiscard]] const std::vector<ProbeSequence>& encoded() const {
    const auto& requests = context_.plan.activations();
    const bool with_response =
        std::ranges::any_of(group_, [&](std::size_t handle) { return reads_response(requests[handle].region); });
    const std::vector<ProbeSequence>& sequences = context_.texts.of(set_, first_.thinking, with_response);
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      with_prompt(set_, set_.prompts[i], [&] {
        require_fitting_length(sequences[i].tokens.size(), context_.options);
        for (const std::size_t handle : group_) static_cast<void>(region_range(sequences[i], requests[handle].region));
      });
    }
    return sequences;
  }

  void forward(const std::vector<std::size_t>& batch) {
    const at::Device device = context_.model.device();
    std::vector<const std::vector<TokenId>*> rows;
    std::vector<std::int64_t> prompts;
    for (const std::size_t item : batch) {
      rows.push_back(&sequences_[item].tokens);
      prompts.push_back(static_cast<std::int64_t>(item));
    }
    const at::Tensor tokens = right_padded(rows, device);
    MeanTap tap(slots(batch, tokens.size(1)), at::tensor(prompts).to(device), scaling_ ? &*scaling_ : nullptr);
    context_.model.hidden_states(tokens, &tap);
  }

  [[nodiscard]] std::vector<MeanTap::Slot> slots(const std::vector<std::size_t>& batch, std::int64_t time) const {
    std::map<TokenRegion, at::Tensor> weights;
    std::vector<MeanTap::Slot> slots;
    for (const std::size_t handle : group_) {
      const ActivationRequest& request = context_.plan.activations()[handle];
      auto [entry, fresh] = weights.try_emplace(request.region);
      if (fresh) {
        std::vector<TokenRange> ranges;
        for (const std::size_t item : batch) ranges.push_back(region_range(sequences_[item], request.region));
        entry->second = mean_weights(ranges, time, context_.model.device());
      }
      slots.push_back({.site = request.site, .weights = entry->second, .result = results_[handle]});
    }
    return slots;
  }

  const ProbeContext& context_;
  const Group& group_;
  std::vector<at::Tensor>& results_;
  const ActivationRequest& first_;
  const PromptSet& set_;
  std::optional<NeuronScaling> scaling_;
  const std::vector<ProbeSequence>& sequences_;
};

}  // namespace

std::int64_t width_of(TapSite site, const ModelConfig& config) {
  return site == TapSite::neurons ? config.intermediate_size : config.hidden_size;
}

ActivationPass run_activation_requests(const ProbeContext& context) {
  const ModelConfig& config = context.model.config();
  const at::TensorOptions options = at::TensorOptions().dtype(at::kFloat).device(context.model.device());
  ActivationPass pass;
  for (const ActivationRequest& request : context.plan.activations()) {
    const auto prompts = std::ssize(context.plan.prompt_set(request.prompt_set).prompts);
    pass.activations.push_back(at::zeros({prompts, config.layers, width_of(request.site, config)}, options));
  }
  for (const Group& group : grouped(context.plan.activations())) {
    pass.forward_passes += GroupPass(context, group, pass.activations).run();
  }
  return pass;
}

}  // namespace rim
