// Everything about a model but its weights: configuration, tokenizer, chat template, and the files that go along.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/tokenizer/chat_template.h"
#include "data/tokenizer/tokenizer.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/model/model_config.h"

namespace rim {

struct ModelInputs {
  ModelConfig config;
  Tokenizer tokenizer;
  ChatTemplate chat_template;
  TokenId end_of_sequence = 0;       // appended to plain prompt_completion samples; also the padding
  std::vector<TokenId> stop_tokens;  // what ends a generated answer
  std::vector<ModelFile> files;      // tokenizer and generation files that a checkpoint copies
};

// `model`: a Hugging Face folder or a config.json; `tokenizer`: a folder or a tokenizer.json. Throws as the parts do,
// Error(no_input) for one file given as both, and Error(bad_data) where the tokenizer has ids beyond the model's
// vocabulary or nothing says which token ends a text. A chat template that "auto" cannot find is an error at the first
// rendering only.
ModelInputs load_model_inputs(const std::filesystem::path& model, const std::filesystem::path& tokenizer,
                              const std::string& chat_template);

}  // namespace rim
