#include "launch/verbs/model_inputs.h"

#include <algorithm>
#include <array>

#include "data/support/error.h"

namespace rim {
namespace {

constexpr std::array kTokenizerFiles{"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json",
                                     "merges.txt",     "added_tokens.json",     "chat_template.jinja"};

std::filesystem::path folder_of(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return path;
  return path.has_parent_path() ? path.parent_path() : ".";
}

std::vector<std::filesystem::path> files_to_copy(const std::filesystem::path& model,
                                                 const std::filesystem::path& tokenizer) {
  std::vector<std::filesystem::path> files;
  for (const char* name : kTokenizerFiles) {
    if (std::filesystem::exists(folder_of(tokenizer) / name)) files.push_back(folder_of(tokenizer) / name);
  }
  const auto generation = folder_of(model) / "generation_config.json";
  if (std::filesystem::exists(generation)) files.push_back(generation);
  return files;
}

// The model's own end tokens and the one that ends a turn of the conversation.
std::vector<TokenId> stop_tokens(const ModelConfig& config, const Tokenizer& tokenizer,
                                 const ChatTemplate& chat_template) {
  std::vector<TokenId> tokens = config.end_token_ids;
  const auto turn = tokenizer.token_to_id(chat_template.end_of_turn());
  if (turn && std::find(tokens.begin(), tokens.end(), *turn) == tokens.end()) tokens.push_back(*turn);
  return tokens;
}

}  // namespace

ModelInputs load_model_inputs(const std::filesystem::path& model, const std::filesystem::path& tokenizer_path,
                              const std::string& chat_template_name) {
  ModelConfig config = read_model_config(model);
  Tokenizer tokenizer = Tokenizer::load(tokenizer_path);
  if (tokenizer.vocabulary_size() > config.vocabulary_size) {
    throw Error(ExitCode::bad_data, tokenizer_path.string() + ": the tokenizer has " +
                                        std::to_string(tokenizer.vocabulary_size()) + " ids, and the model of " +
                                        model.string() + " only " + std::to_string(config.vocabulary_size) +
                                        ": they do not belong together");
  }
  ChatTemplate chat_template = ChatTemplate::detect(folder_of(tokenizer_path), tokenizer, chat_template_name);
  std::vector<TokenId> stops = stop_tokens(config, tokenizer, chat_template);
  if (stops.empty()) {
    throw Error(ExitCode::bad_data, model.string() +
                                        ": no end token: config.json has no eos_token_id, and the tokenizer "
                                        "does not know '" +
                                        chat_template.end_of_turn() + "'");
  }
  const TokenId end = stops.front();
  return {std::move(config),        std::move(tokenizer),
          std::move(chat_template), end,
          std::move(stops),         files_to_copy(model, tokenizer_path)};
}

}  // namespace rim
