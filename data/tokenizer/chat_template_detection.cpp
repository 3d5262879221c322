// Which template a model folder has. Nothing here runs Jinja: the supported families are told apart, and their
// variants set, by literal text in the template.
#include <algorithm>
#include <string_view>

#include "data/support/error.h"
#include "data/support/files.h"
#include "data/support/json.h"
#include "data/support/text.h"
#include "data/tokenizer/chat_template.h"

namespace rim {
namespace {

constexpr std::string_view kChatmlStart = "<|im_start|>";
constexpr std::string_view kChatmlEnd = "<|im_end|>";
constexpr std::string_view kLlamaStart = "<|start_header_id|>";
constexpr std::string_view kLlamaEnd = "<|eot_id|>";

// What the folder says about its template.
struct TemplateFiles {
  std::string jinja;  // empty: the folder has none
  std::string bos;    // bos_token's spelling
};

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// A token is written as its spelling or as an object with its content.
std::string spelling_of(const Json& config, const char* key) {
  const auto token = config.find(key);
  if (token == config.end()) return "";
  if (token->is_string()) return token->get<std::string>();
  if (token->is_object() && token->contains("content") && (*token)["content"].is_string()) {
    return (*token)["content"].get<std::string>();
  }
  return "";
}

// The template is a string, or a list of named ones of which "default" is for chats.
std::string template_in(const Json& config) {
  const auto value = config.find("chat_template");
  if (value == config.end()) return "";
  if (value->is_string()) return value->get<std::string>();
  if (!value->is_array()) return "";
  for (const Json& named : *value) {
    if (named.is_object() && named.value("name", "") == "default") return named.value("template", "");
  }
  return "";
}

TemplateFiles read_template_files(const std::filesystem::path& folder) {
  TemplateFiles files;
  if (std::filesystem::exists(folder / "tokenizer_config.json")) {
    const Json config = read_json_file(folder / "tokenizer_config.json");
    if (config.is_object()) files = {template_in(config), spelling_of(config, "bos_token")};
  }
  if (std::filesystem::exists(folder / "chat_template.jinja")) {
    files.jinja = read_text_file(folder / "chat_template.jinja");
  }
  return files;
}

// The text of a Jinja string literal, or plain template text, up to `end`.
std::string unescape(std::string_view text) {
  return replace_all(replace_all(replace_all(std::string(text), "\\n", "\n"), "\\'", "'"), "\\\"", "\"");
}

// The words of a system turn written out in the template, as in
// '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n'; empty where there is none.
std::string default_system_in(std::string_view jinja) {
  constexpr std::string_view header = "<|im_start|>system";
  for (std::size_t found = jinja.find(header); found != std::string_view::npos; found = jinja.find(header, found + 1)) {
    std::string_view words = jinja.substr(found + header.size());
    words = words.substr(0, std::min(words.find(kChatmlEnd), words.size()));
    const char quote = found > 0 ? jinja[found - 1] : '\n';
    const bool quoted = quote == '\'' || quote == '"';
    // A variable in it, or the end of its string literal, makes it another turn's header.
    if (words.find_first_of("{}") != std::string_view::npos) continue;
    if (quoted && contains(replace_all(std::string(words), std::string{'\\', quote}, ""), std::string(1, quote))) {
      continue;
    }
    std::string plain = quoted ? unescape(words) : std::string(words);
    if (plain.starts_with('\n') && plain.size() > 1) return plain.substr(1);
  }
  return "";
}

// Llama-3.1's two lines and the empty one after them; empty for templates without them.
std::string date_lines_in(std::string_view jinja) {
  constexpr std::string_view knowledge = "Cutting Knowledge Date: December 2023";
  if (!contains(jinja, knowledge)) return "";
  std::string date = "26 Jul 2024";
  constexpr std::string_view setter = "set date_string = \"";
  if (const std::size_t found = jinja.find(setter); found != std::string_view::npos) {
    const std::string_view rest = jinja.substr(found + setter.size());
    date = rest.substr(0, rest.find('"'));
  }
  return std::string(knowledge) + "\nToday Date: " + date + "\n\n";
}

void require_tokens(const Tokenizer& tokenizer, const std::filesystem::path& folder,
                    std::initializer_list<std::string_view> spellings) {
  for (const std::string_view spelling : spellings) {
    if (tokenizer.token_to_id(spelling)) continue;
    throw Error(ExitCode::bad_data, folder.string() + ": the tokenizer has no token '" + std::string(spelling) +
                                        "', which its chat template needs");
  }
}

std::string choose_family(const std::string& name, const TemplateFiles& files, const Tokenizer& tokenizer,
                          const std::filesystem::path& folder) {
  if (name == "chatml" || name == "llama3") return name;
  if (name != "auto") {
    throw Error(ExitCode::config, "chat template '" + name + "' is none of auto, chatml, llama3");
  }
  const auto writes = [&](std::string_view token) {
    return files.jinja.empty() ? tokenizer.token_to_id(token).has_value() : contains(files.jinja, token);
  };
  if (writes(kChatmlStart)) return "chatml";
  if (writes(kLlamaStart)) return "llama3";
  throw Error(ExitCode::bad_data, folder.string() + ": its chat template is neither ChatML nor Llama-3");
}

}  // namespace

ChatTemplate ChatTemplate::detect(const std::filesystem::path& model_folder, const Tokenizer& tokenizer,
                                  const std::string& name) {
  const TemplateFiles files = read_template_files(model_folder);
  const bool has_text = !files.jinja.empty();
  ChatTemplate result;
  result.name_ = choose_family(name, files, tokenizer, model_folder);
  if (result.name_ == "chatml") {
    require_tokens(tokenizer, model_folder, {kChatmlStart, kChatmlEnd});
    result.family_ = Family::chatml;
    result.end_of_turn_ = kChatmlEnd;
    result.default_system_ = default_system_in(files.jinja);
  } else {
    require_tokens(tokenizer, model_folder, {kLlamaStart, "<|end_header_id|>", kLlamaEnd});
    result.family_ = Family::llama3;
    result.end_of_turn_ = kLlamaEnd;
    result.trims_content_ = true;
    result.system_prefix_ = date_lines_in(files.jinja);
    result.always_system_ = !result.system_prefix_.empty();
  }
  if (has_text ? contains(files.jinja, "bos_token") : result.family_ == Family::llama3) {
    const bool has_llama_bos = tokenizer.token_to_id("<|begin_of_text|>").has_value();
    result.bos_ = !files.bos.empty() ? files.bos : has_llama_bos ? "<|begin_of_text|>" : "";
  }
  const bool mentions_thinking = !has_text || contains(files.jinja, "<think>");
  result.thinks_ = tokenizer.token_to_id("<think>") && tokenizer.token_to_id("</think>") && mentions_thinking;
  if (result.thinks_ && has_text) {
    result.thinks_each_turn_ = !contains(files.jinja, "loop.index0 > ns.last_query_index");
    result.opens_thinking_ =
        contains(files.jinja, "'<think>\\n' }}") || contains(files.jinja, "assistant\\n<think>\\n'");
  }
  return result;
}

}  // namespace rim
