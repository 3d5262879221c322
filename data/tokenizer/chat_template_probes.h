// Which supported variant renders as a folder's own Jinja template does.
#pragma once

#include <string>
#include <variant>

#include "data/support/json.h"
#include "data/tokenizer/chat_variant.h"

namespace rim {

// Runs the template on conversations that tell the variants apart: roles in any order, with and without system turn
// and reasoning, text with white space at its ends, prompts with thinking on and off. The variant that renders every
// one of them alike, or else what stands against it, in words. `special_tokens`: as in ChatTemplateFiles.
std::variant<ChatVariant, std::string> recognise_template(const std::string& jinja, const Json& special_tokens);

}  // namespace rim
