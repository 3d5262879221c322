#include "launch/verbs/model_inputs.h"

#include <algorithm>
#include <array>

#include "data/support/error.h"
#include "data/tokenizer/chat_template_files.h"

namespace rim {
namespace {

constexpr std::array kTokenizerFiles{"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json",
                                     "merges.txt",     "added_tokens.json",     "chat_template.jinja"};

std::filesystem::path folder_of(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return path;
  return path.has_parent_path() ? path.parent_path() : ".";
}

// The file that the tokenizer was read from becomes tokenizer.json, whatever its name and its neighbours.
std::vector<ModelFile> files_to_copy(const std::filesystem::path& model, const std::filesystem::path& tokenizer) {
  std::vector<ModelFile> files;
  const bool is_file = !std::filesystem::is_directory(tokenizer);
  if (is_file) files.emplace_back(tokenizer, "tokenizer.json");
  for (const std::string name : kTokenizerFiles) {
    const bool of_another = is_file && (name == "tokenizer.json" || name == "vocab.json" || name == "merges.txt");
    const std::filesystem::path file = folder_of(tokenizer) / name;
    if (!of_another && std::filesystem::exists(file)) files.emplace_back(file);
  }
  const auto generation = folder_of(model) / "generation_config.json";
  if (std::filesystem::exists(generation)) files.emplace_back(generation);
  return files;
}

// The tokenizer's eos_token, which TRL appends to plain text; nothing where the folder names none.
std::optional<TokenId> end_of_text(const std::filesystem::path& folder, const Tokenizer& tokenizer) {
  const Json special = read_chat_template_files(folder).special_tokens;
  return tokenizer.token_to_id(special.value("eos_token", ""));
}

// The model's own end tokens, the one that ends a turn of the conversation, and the one that ends a plain text.
std::vector<TokenId> stop_tokens(const ModelConfig& config, const Tokenizer& tokenizer,
                                 const ChatTemplate& chat_template, std::optional<TokenId> text_end) {
  std::vector<TokenId> tokens = config.end_token_ids;
  for (const std::optional<TokenId> token : {tokenizer.token_to_id(chat_template.end_of_turn()), text_end}) {
    if (token && std::find(tokens.begin(), tokens.end(), *token) == tokens.end()) tokens.push_back(*token);
  }
  return tokens;
}

// A model that only ever continues plain text needs no template; whoever does is told then what is wrong with it.
ChatTemplate template_of(const std::filesystem::path& folder, const Tokenizer& tokenizer, const std::string& name) {
  if (name != "auto") return ChatTemplate::detect(folder, tokenizer, name);
  try {
    return ChatTemplate::detect(folder, tokenizer, name);
  } catch (const Error& reason) {
    return ChatTemplate::missing(reason);
  }
}

[[noreturn]] void refuse_without_end(const std::filesystem::path& model, const std::string& end_of_turn) {
  const std::string turn = end_of_turn.empty() ? "there is no chat template that names one"
                                               : "the tokenizer does not know '" + end_of_turn + "'";
  throw Error(ExitCode::bad_data, model.string() +
                                      ": no end token: neither config.json's eos_token_id nor tokenizer_config.json's "
                                      "eos_token names one, and " +
                                      turn);
}

}  // namespace

ModelInputs load_model_inputs(const std::filesystem::path& model, const std::filesystem::path& tokenizer_path,
                              const std::string& chat_template_name) {
  if (model == tokenizer_path && std::filesystem::is_regular_file(model)) {
    throw Error(ExitCode::no_input, model.string() + ": is a file; give the model's folder, which holds it");
  }
  ModelConfig config = read_model_config(model);
  Tokenizer tokenizer = Tokenizer::load(tokenizer_path);
  if (tokenizer.vocabulary_size() > config.vocabulary_size) {
    throw Error(ExitCode::bad_data, tokenizer_path.string() + ": the tokenizer has " +
                                        std::to_string(tokenizer.vocabulary_size()) + " ids, and the model of " +
                                        model.string() + " only " + std::to_string(config.vocabulary_size) +
                                        ": they do not belong together");
  }
  ChatTemplate chat_template = template_of(folder_of(tokenizer_path), tokenizer, chat_template_name);
  const std::optional<TokenId> text_end = end_of_text(folder_of(tokenizer_path), tokenizer);
  std::vector<TokenId> stops = stop_tokens(config, tokenizer, chat_template, text_end);
  if (stops.empty()) refuse_without_end(model, chat_template.end_of_turn());
  const TokenId end = text_end.value_or(stops.front());
  return {std::move(config),        std::move(tokenizer),
          std::move(chat_template), end,
          std::move(stops),         files_to_copy(model, tokenizer_path)};
}

}  // namespace rim
