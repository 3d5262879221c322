// Which template a model folder has.
#include <initializer_list>
#include <string_view>

#include "data/support/error.h"
#include "data/tokenizer/chat_template.h"
#include "data/tokenizer/chat_template_files.h"
#include "data/tokenizer/chat_template_probes.h"

namespace rim {
namespace {

using Family = ChatVariant::Family;

constexpr std::string_view kChatmlStart = "<|im_start|>";
constexpr std::string_view kLlamaStart = "<|start_header_id|>";

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

void require_tokens(const Tokenizer& tokenizer, const std::filesystem::path& folder,
                    std::initializer_list<std::string_view> spellings) {
  for (const std::string_view spelling : spellings) {
    if (tokenizer.token_to_id(spelling)) continue;
    throw Error(ExitCode::bad_data, folder.string() + ": the tokenizer has no token '" + std::string(spelling) +
                                        "', which its chat template needs");
  }
}

Family choose_family(const std::string& name, const ChatTemplateFiles& files, const Tokenizer& tokenizer,
                     const std::filesystem::path& folder) {
  if (name == "chatml") return Family::chatml;
  if (name == "llama3") return Family::llama3;
  if (name != "auto") {
    throw Error(ExitCode::config, "chat template '" + name + "' is none of auto, chatml, llama3");
  }
  const auto writes = [&](std::string_view token) {
    return files.jinja.empty() ? tokenizer.token_to_id(token).has_value() : contains(files.jinja, token);
  };
  if (writes(kChatmlStart)) return Family::chatml;
  if (writes(kLlamaStart)) return Family::llama3;
  throw Error(ExitCode::bad_data, folder.string() + ": its chat template is neither ChatML nor Llama-3");
}

// The family without a system prompt of its own; it thinks as Qwen3 does where the tokenizer has the tags, unless the
// folder's template knows nothing of them.
ChatVariant plain_variant(Family family, const ChatTemplateFiles& files, const Tokenizer& tokenizer) {
  ChatVariant variant;
  variant.family = family;
  if (family == Family::llama3) {
    variant.trims_content = true;
    variant.bos = files.special_tokens.value("bos_token", "");
    if (variant.bos.empty() && tokenizer.token_to_id("<|begin_of_text|>")) variant.bos = "<|begin_of_text|>";
  }
  const bool may_think = files.jinja.empty() || contains(files.jinja, "<think>");
  if (may_think && tokenizer.token_to_id("<think>") && tokenizer.token_to_id("</think>")) {
    variant.thinking = ChatVariant::Thinking::last_answer;
  }
  return variant;
}

ChatVariant choose_variant(Family family, const std::string& name, const ChatTemplateFiles& files,
                           const Tokenizer& tokenizer) {
  if (files.jinja.empty()) return plain_variant(family, files, tokenizer);
  const auto recognised = recognise_template(files.jinja, files.special_tokens);
  const auto* variant = std::get_if<ChatVariant>(&recognised);
  if (variant != nullptr && variant->family == family) return *variant;
  if (name != "auto") return plain_variant(family, files, tokenizer);
  const std::string families = family == Family::chatml ? "chatml" : "llama3";
  const auto* reason = std::get_if<std::string>(&recognised);
  throw Error(ExitCode::bad_data, files.file.string() + ": this chat template is not supported (" +
                                      (reason != nullptr ? *reason : "it mixes two families") +
                                      "); data.chat_template: " + families + " renders it as plain " +
                                      (family == Family::chatml ? "ChatML" : "Llama-3"));
}

}  // namespace

ChatTemplate ChatTemplate::detect(const std::filesystem::path& model_folder, const Tokenizer& tokenizer,
                                  const std::string& name) {
  const ChatTemplateFiles files = read_chat_template_files(model_folder);
  const Family family = choose_family(name, files, tokenizer, model_folder);
  if (family == Family::chatml) {
    require_tokens(tokenizer, model_folder, {kChatmlStart, "<|im_end|>"});
  } else {
    require_tokens(tokenizer, model_folder, {kLlamaStart, "<|end_header_id|>", "<|eot_id|>"});
  }
  return ChatTemplate(choose_variant(family, name, files, tokenizer));
}

}  // namespace rim
