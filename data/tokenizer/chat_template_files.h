// What a model folder says about its chat template.
#pragma once

#include <filesystem>
#include <string>

#include "data/support/json.h"

namespace rim {

struct ChatTemplateFiles {
  std::string jinja;           // empty: the folder has none
  std::filesystem::path file;  // that holds it
  Json special_tokens;         // bos_token, eos_token, ... as the template sees them: an object of spellings
};

// Reads chat_template.jinja and tokenizer_config.json where they are. Throws Error(bad_data) for a malformed file.
ChatTemplateFiles read_chat_template_files(const std::filesystem::path& folder);

}  // namespace rim
