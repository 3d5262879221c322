#include "data/tokenizer/chat_template_files.h"

#include "data/support/error.h"
#include "data/support/files.h"

namespace rim {
namespace {

// The template is a string, or a list of named ones of which "default" is for chats.
std::string template_in(const Json& config, const std::string& origin) {
  const auto value = config.find("chat_template");
  if (value == config.end() || value->is_null()) return "";
  if (value->is_string()) return value->get<std::string>();
  if (!value->is_array()) {
    throw Error(ExitCode::bad_data, origin + ": 'chat_template' must be a text or a list of named texts");
  }
  for (const Json& named : *value) {
    if (json_string(named, "name", origin) == "default") return json_string(named, "template", origin);
  }
  throw Error(ExitCode::bad_data, origin + ": none of the texts in 'chat_template' is named 'default'");
}

// A token is written as its spelling or as an object with its content.
Json special_tokens_in(const Json& config) {
  Json tokens = Json::object();
  for (const auto& [key, token] : config.items()) {
    if (!key.ends_with("_token")) continue;
    if (token.is_string()) tokens[key] = token;
    if (token.is_object() && token.contains("content") && token["content"].is_string()) tokens[key] = token["content"];
  }
  return tokens;
}

}  // namespace

ChatTemplateFiles read_chat_template_files(const std::filesystem::path& folder) {
  ChatTemplateFiles files{.jinja = "", .file = folder / "chat_template.jinja", .special_tokens = Json::object()};
  if (std::filesystem::exists(folder / "tokenizer_config.json")) {
    const Json config = read_json_file(folder / "tokenizer_config.json");
    if (config.is_object()) {
      files = {template_in(config, (folder / "tokenizer_config.json").string()), folder / "tokenizer_config.json",
               special_tokens_in(config)};
    }
  }
  if (std::filesystem::exists(folder / "chat_template.jinja")) {
    files.file = folder / "chat_template.jinja";
    files.jinja = read_text_file(files.file);
  }
  return files;
}

}  // namespace rim
