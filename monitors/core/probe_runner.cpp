#include "monitors/core/probe_runner.h"

#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>

#include <utility>

#include "data/support/error.h"
#include "monitors/core/activation_pass.h"
#include "monitors/core/generation_pass.h"
#include "monitors/core/probe_context.h"

namespace rim {

void require_fitting_length(std::size_t tokens, const ProbeRunnerOptions& options) {
  if (std::cmp_less_equal(tokens, options.max_length)) return;
  throw Error(ExitCode::bad_data, "is " + std::to_string(tokens) + " tokens long, and probes may have " +
                                      std::to_string(options.max_length) + ": leave it out or shorten it");
}

ProbeRunner::ProbeRunner(const Tokenizer& tokenizer, const ChatTemplate& chat_template, ProbeRunnerOptions options)
    : tokenizer_(tokenizer), texts_(tokenizer, chat_template), options_(std::move(options)) {}

ProbeResults ProbeRunner::run(const Decoder& model, const ProbePlan& plan, Communicator& communicator) {
  const at::NoGradGuard no_gradients;
  const ProbeContext context{.model = model,
                             .tokenizer = tokenizer_,
                             .texts = texts_,
                             .options = options_,
                             .plan = plan,
                             .rank = communicator.rank(),
                             .ranks = communicator.size()};
  ActivationPass activations;
  GenerationPass generations;
  communicator.together("probe the model", [&] {
    try {
      activations = run_activation_requests(context);
      generations = run_generation_requests(context);
    } catch (const c10::Error& error) {
      throw Error(ExitCode::software, error.what_without_backtrace());
    }
  });

  ProbeResults results;
  for (at::Tensor& sums : activations.activations) {
    communicator.all_reduce_sum(sums, "probe activations");
    results.activations.push_back(sums.cpu());
    sums.reset();
  }
  for (std::size_t handle = 0; handle < plan.generations().size(); ++handle) {
    const auto prompts = plan.prompt_set(plan.generations()[handle].prompt_set).prompts.size();
    const auto parts = communicator.all_gather(pack_responses(generations.responses[handle]), "probe responses");
    results.generations.push_back(unpack_responses(parts, prompts));
  }
  results.forward_passes = activations.forward_passes + generations.forward_passes;
  return results;
}

}  // namespace rim
