// Runs a ProbePlan on a model.
#pragma once

#include "data/tokenizer/chat_template.h"
#include "data/tokenizer/tokenizer.h"
#include "monitors/core/probe.h"
#include "monitors/core/probe_texts.h"
#include "trainer/model/decoder.h"
#include "trainer/parallel/communicator.h"

namespace rim {

struct ProbeRunnerOptions {
  std::int64_t batch_tokens = 8192;    // padded tokens per teacher-forced forward pass
  std::int64_t generation_batch = 64;  // most prompts generated together
  // Most positions, prompt and response, whose keys and values a batch of generation holds; long responses are
  // generated in smaller batches. A single prompt may exceed it.
  std::int64_t cache_positions = 32768;
  std::int64_t max_length = 4096;  // longer probes are an Error(bad_data) naming the prompt
  std::vector<TokenId> stop_tokens;
};

class ProbeRunner {
 public:
  ProbeRunner(const Tokenizer& tokenizer, const ChatTemplate& chat_template, ProbeRunnerOptions options);
  // COLLECTIVE. Requests on the same prompt set, thinking mode and intervention share one forward pass per batch;
  // prompts are dealt round-robin to the ranks; reductions run on the model's device in fp32. No gradients, no random
  // draws. Prompts are rendered and tokenised once, however often it is called.
  [[nodiscard]] ProbeResults run(const Decoder& model, const ProbePlan& plan, Communicator& communicator);

 private:
  const Tokenizer& tokenizer_;
  ProbeTexts texts_;
  ProbeRunnerOptions options_;
};

}  // namespace rim
