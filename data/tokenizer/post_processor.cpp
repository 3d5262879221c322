#include "data/tokenizer/post_processor.h"

#include "data/support/error.h"

namespace rim {
namespace {

using Ids = std::vector<std::int64_t>;

[[noreturn]] void refuse(const std::string& origin, const std::string& why) {
  throw Error(ExitCode::bad_data, origin + ": post_processor: " + why);
}

// The special token's ids by its name in the template.
Ids ids_of(const Json& processor, const std::string& name, const std::string& origin) {
  const Json tokens = processor.value("special_tokens", Json::object());
  const auto token = tokens.find(name);
  if (token == tokens.end() || !token->is_object() || !token->contains("ids")) {
    refuse(origin, "the template names '" + name + "', which 'special_tokens' does not explain");
  }
  Ids ids;
  for (const Json& id : (*token)["ids"]) {
    if (!id.is_number_integer()) refuse(origin, "an id of '" + name + "' is not a whole number");
    ids.push_back(id.get<std::int64_t>());
  }
  return ids;
}

Ids before_text(const Json& processor, const std::string& origin) {
  const auto pieces = processor.find("single");
  if (pieces == processor.end() || !pieces->is_array()) refuse(origin, "TemplateProcessing without a list 'single'");
  Ids ids;
  for (const Json& piece : *pieces) {
    if (!piece.is_object()) refuse(origin, "a piece of 'single' is not an object");
    if (piece.contains("Sequence")) return ids;
    const Json& token = piece.value("SpecialToken", Json::object());
    const Ids more = ids_of(processor, json_string(token, "id", origin), origin);
    ids.insert(ids.end(), more.begin(), more.end());
  }
  refuse(origin, "'single' has no place for the text");
}

Ids ids_before_text(const Json& processor, const std::string& origin) {
  if (processor.is_null()) return {};
  if (!processor.is_object()) refuse(origin, "must be an object");
  const std::string type = json_string(processor, "type", origin);
  if (type == "ByteLevel") return {};
  if (type == "TemplateProcessing") return before_text(processor, origin);
  if (type == "RobertaProcessing") {
    const Json start = processor.value("cls", Json());
    if (!start.is_array() || start.size() != 2 || !start[1].is_number_integer()) refuse(origin, "'cls' is no token");
    return {start[1].get<std::int64_t>()};
  }
  if (type != "Sequence") refuse(origin, "the post-processor '" + type + "' is not supported");
  Ids ids;
  for (const Json& inner : processor.value("processors", Json::array())) {
    const Ids outer = ids_before_text(inner, origin);
    ids.insert(ids.begin(), outer.begin(), outer.end());  // a later one adds around what the earlier ones gave
  }
  return ids;
}

}  // namespace

Ids tokens_before_text(const Json& processor, const Vocabulary& vocabulary, const std::string& origin) {
  Ids ids = ids_before_text(processor, origin);
  for (const std::int64_t id : ids) {
    if (!vocabulary.contains(id)) refuse(origin, "there is no token " + std::to_string(id));
  }
  return ids;
}

}  // namespace rim
