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
  throw Error(ExitCode::bad_data, model.string() + ": no end token: config.json has no eos_token_id, and " + turn);
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
  std::vector<TokenId> stops = stop_tokens(config, tokenizer, chat_template);
  if (stops.empty()) refuse_without_end(model, chat_template.end_of_turn());
  const TokenId end = stops.front();
  return {std::move(config),        std::move(tokenizer),
          std::move(chat_template), end,
          std::move(stops),         files_to_copy(model, tokenizer_path)};
}

}  // namespace rim
