#include "data/tokenizer/tokenizer_file.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "data/support/error.h"
#include "data/support/files.h"
#include "data/support/json.h"
#include "data/tokenizer/byte_level.h"
#include "data/tokenizer/post_processor.h"

namespace rim {
namespace {

using MergeRules = std::vector<BytePairModel::MergeRule>;

// The member, or null where it is absent.
const Json& member(const Json& object, const char* key) {
  static const Json null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

std::string type_of(const Json& part, const char* key, const std::string& origin) {
  if (!part.is_object()) refuse_data(origin, std::string("'") + key + "' must be an object");
  return json_string(part, "type", origin);
}

Vocabulary read_vocabulary(const Json& spellings, const std::string& origin) {
  if (!spellings.is_object() || spellings.empty()) refuse_data(origin, "the vocabulary must be an object of token: id");
  Vocabulary vocabulary;
  for (const auto& [spelling, id] : spellings.items()) {
    if (!id.is_number_integer()) refuse_data(origin, "the id of token '" + spelling + "' is not a whole number");
    vocabulary.add(spelling, id.get<std::int64_t>(), origin);
  }
  return vocabulary;
}

BytePairModel::MergeRule merge_of_line(std::string_view line, std::size_t number, const std::string& origin) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
    refuse_data(origin, "merge " + std::to_string(number) + " ('" + std::string(line) + "') is not two tokens");
  }
  return {std::string(line.substr(0, space)), std::string(line.substr(space + 1))};
}

MergeRules read_merges(const Json& merges, const std::string& origin) {
  if (!merges.is_array()) refuse_data(origin, "'merges' must be a list");
  MergeRules rules;
  rules.reserve(merges.size());
  for (const Json& merge : merges) {
    if (merge.is_string()) {
      const auto& line = merge.get_ref<const std::string&>();
      if (!line.starts_with("#version")) rules.push_back(merge_of_line(line, rules.size() + 1, origin));
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      rules.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
    } else {
      refuse_data(origin, "merge " + std::to_string(rules.size() + 1) + " is neither \"a b\" nor [\"a\", \"b\"]");
    }
  }
  return rules;
}

MergeRules read_merges_text(std::string_view text, const std::string& origin) {
  MergeRules rules;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !line.starts_with("#version")) rules.push_back(merge_of_line(line, rules.size() + 1, origin));
  }
  return rules;
}

// Settings of the BPE model that would change its tokens in ways not built here.
void check_model(const Json& model, const std::string& origin) {
  if (!model.is_object()) refuse_data(origin, "'model' is missing");
  const std::string type = json_string_or(model, "type", "BPE", origin);
  if (type != "BPE") refuse_data(origin, "model type '" + type + "' is not supported; only byte-level BPE is");
  if (json_number_or(model, "dropout", 0.0, origin) != 0.0) refuse_data(origin, "BPE 'dropout' is not supported");
  if (json_bool_or(model, "byte_fallback", false, origin)) refuse_data(origin, "BPE 'byte_fallback' is not supported");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!json_string_or(model, key, "", origin).empty()) {
      refuse_data(origin, std::string("a non-empty '") + key + "' is not supported");
    }
  }
}

bool read_normalizer(const Json& normalizer, const std::string& origin) {
  if (normalizer.is_null()) return false;
  const std::string type = type_of(normalizer, "normalizer", origin);
  if (type == "NFC") return true;
  if (type != "Sequence") refuse_data(origin, "the normalizer '" + type + "' is not supported; only NFC is");
  bool nfc = false;
  for (const Json& inner : member(normalizer, "normalizers")) nfc = read_normalizer(inner, origin) || nfc;
  return nfc;
}

void check_decoder(const Json& decoder, const std::string& origin) {
  const std::string type = decoder.is_null() ? "null" : type_of(decoder, "decoder", origin);
  const Json& parts = type == "Sequence" ? member(decoder, "decoders") : Json();
  if (parts.is_array() && parts.size() == 1) return check_decoder(parts[0], origin);
  if (type != "ByteLevel") refuse_data(origin, "the decoder '" + type + "' is not supported; only ByteLevel is");
}

AddedToken read_added_token(const Json& description, const std::string& origin) {
  AddedToken token;
  token.content = json_string(description, "content", origin);
  token.id = json_integer(description, "id", origin);
  token.special = json_bool_or(description, "special", false, origin);
  token.single_word = json_bool_or(description, "single_word", false, origin);
  token.lstrip = json_bool_or(description, "lstrip", false, origin);
  token.rstrip = json_bool_or(description, "rstrip", false, origin);
  token.normalized = json_bool_or(description, "normalized", !token.special, origin);
  return token;
}

// `tokenizers` numbers added tokens itself: the model's id where the model has the token, else the next free one. A
// file that says otherwise would get other ids there than here, so it is refused.
void check_added_id(const AddedToken& token, std::int64_t expected, const std::string& origin) {
  if (token.id == expected) return;
  refuse_data(origin, "the added token '" + token.content + "' has id " + std::to_string(token.id) +
                          ", but by its place " + "and the vocabulary it must be " + std::to_string(expected));
}

std::vector<AddedToken> read_added_tokens(const Json& list, const Vocabulary& vocabulary, const std::string& origin) {
  std::vector<AddedToken> tokens;
  if (list.is_null()) return tokens;
  if (!list.is_array()) refuse_data(origin, "'added_tokens' must be a list");
  std::int64_t next = vocabulary.count();
  for (const Json& description : list) {
    AddedToken token = read_added_token(description, origin);
    const auto known = vocabulary.find(token.content);
    check_added_id(token, known.value_or(next), origin);
    next = std::max(next, token.id + 1);
    tokens.push_back(std::move(token));
  }
  return tokens;
}

void add_to_vocabulary(const std::vector<AddedToken>& tokens, Vocabulary& vocabulary, const std::string& origin) {
  for (const AddedToken& token : tokens) {
    if (vocabulary.find(token.content) != token.id) vocabulary.add(token.content, token.id, origin);
  }
}

// Added tokens are cut out of template text before the model sees it, so what is left for the model to spell them from
// is literal text, which must not become those that are barred there.
std::vector<bool> barred_tokens(const Vocabulary& vocabulary, const std::vector<AddedToken>& tokens) {
  std::vector<bool> barred(static_cast<std::size_t>(vocabulary.end()));
  for (const AddedToken& token : tokens) {
    const bool spells_itself = spelling_of_bytes(token.content) == token.content;
    const bool in_model = token.id < vocabulary.end();
    if (in_model && spells_itself && barred_in_literal_text(token)) {
      barred[static_cast<std::size_t>(token.id)] = true;
    }
  }
  return barred;
}

TokenizerParts read_tokenizer_json(const std::filesystem::path& path) {
  const std::string origin = path.string();
  const Json file = read_json_file(path);
  if (!file.is_object()) refuse_data(origin, "expected an object");
  const Json& model = member(file, "model");
  check_model(model, origin);
  check_decoder(member(file, "decoder"), origin);
  const bool nfc = read_normalizer(member(file, "normalizer"), origin);
  PreTokenizer pre_tokenizer = PreTokenizer::from_json(member(file, "pre_tokenizer"), origin);
  Vocabulary vocabulary = read_vocabulary(member(model, "vocab"), origin);
  std::vector<AddedToken> added = read_added_tokens(member(file, "added_tokens"), vocabulary, origin);

  BytePairOptions options;
  options.ignore_merges = json_bool_or(model, "ignore_merges", false, origin);
  options.fuse_unk = json_bool_or(model, "fuse_unk", false, origin);
  if (!member(model, "unk_token").is_null()) options.unk_token = json_string(model, "unk_token", origin);
  BytePairModel bpe(vocabulary, read_merges(member(model, "merges"), origin), barred_tokens(vocabulary, added), options,
                    origin);
  add_to_vocabulary(added, vocabulary, origin);  // only now: merges and words know the model's own tokens alone
  std::vector<std::int64_t> text_start = tokens_before_text(member(file, "post_processor"), vocabulary, origin);
  return {std::move(vocabulary),    std::move(added), nfc,
          std::move(pre_tokenizer), std::move(bpe),   std::move(text_start)};
}

TokenizerParts read_gpt2_files(const std::filesystem::path& vocabulary_path, const std::filesystem::path& merges_path) {
  Vocabulary vocabulary = read_vocabulary(read_json_file(vocabulary_path), vocabulary_path.string());
  std::vector<AddedToken> added;
  // GPT-2's one special token is known by its name alone: these two files say nothing about it.
  if (const auto id = vocabulary.find("<|endoftext|>")) added.push_back({"<|endoftext|>", *id, true});
  const std::string origin = merges_path.string();
  BytePairModel bpe(vocabulary, read_merges_text(read_text_file(merges_path), origin), barred_tokens(vocabulary, added),
                    {}, origin);
  return {std::move(vocabulary), std::move(added), false, PreTokenizer::gpt2(), std::move(bpe), {}};
}

// Other tokenizers of vocab.json and merges.txt (Qwen's, RoBERTa's) split or mark text in ways these files do not say.
void require_gpt2(const std::filesystem::path& folder) {
  const auto path = folder / "tokenizer_config.json";
  if (!std::filesystem::exists(path)) return;
  const std::string name = json_string_or(read_json_file(path), "tokenizer_class", "", path.string());
  if (name == "GPT2Tokenizer" || name == "GPT2TokenizerFast") return;
  refuse_data(path.string(), "tokenizer_class " + (name.empty() ? "is missing" : "'" + name + "'") +
                                 " needs a tokenizer.json, and there is none: write it with transformers, "
                                 "AutoTokenizer.from_pretrained(folder).save_pretrained(folder)");
}

}  // namespace

TokenizerParts read_tokenizer(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return read_tokenizer_json(path);
  if (std::filesystem::exists(path / "tokenizer.json")) return read_tokenizer_json(path / "tokenizer.json");
  if (std::filesystem::exists(path / "vocab.json") && std::filesystem::exists(path / "merges.txt")) {
    require_gpt2(path);
    return read_gpt2_files(path / "vocab.json", path / "merges.txt");
  }
  throw Error(ExitCode::no_input, path.string() + ": has no tokenizer.json (nor vocab.json and merges.txt)");
}

}  // namespace rim
