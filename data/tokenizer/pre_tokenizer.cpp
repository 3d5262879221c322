#include "data/tokenizer/pre_tokenizer.h"

#include <optional>

#include "data/support/error.h"

namespace rim {
namespace {

constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
// `tokenizers` asks Rust's char::is_numeric here, which already knows the digits of Unicode 17.
constexpr std::string_view kDigitPattern = "[\\p{N}\U00011DE0-\U00011DE9\U00016FF4-\U00016FF6]";

[[noreturn]] void refuse(const std::string& origin, const std::string& what) {
  throw Error(ExitCode::bad_data, origin + ": " + what + " is not supported");
}

std::vector<Json> flatten(const Json& description, const std::string& origin) {
  if (!description.is_object()) {
    throw Error(ExitCode::bad_data, origin + ": 'pre_tokenizer' must be an object of type ByteLevel or Sequence");
  }
  if (json_string(description, "type", origin) != "Sequence") return {description};
  std::vector<Json> flat;
  const auto members = description.find("pretokenizers");
  if (members == description.end() || !members->is_array()) {
    throw Error(ExitCode::bad_data, origin + ": the pre-tokenizer Sequence has no list 'pretokenizers'");
  }
  for (const Json& member : *members) {
    for (Json& inner : flatten(member, origin)) flat.push_back(std::move(inner));
  }
  return flat;
}

}  // namespace

PreTokenizer::Stage PreTokenizer::split_stage(const Json& description, const std::string& origin) {
  const auto pattern = description.find("pattern");
  if (pattern == description.end() || !pattern->contains("Regex")) refuse(origin, "a Split without a Regex pattern");
  const std::string behavior = json_string(description, "behavior", origin);
  if (behavior != "Isolated" && behavior != "Removed") refuse(origin, "Split behavior '" + behavior + "'");
  const bool invert = json_bool_or(description, "invert", false, origin);
  Stage stage;
  stage.pattern.emplace_back(json_string(*pattern, "Regex", origin), origin);
  if (behavior == "Removed") (invert ? stage.keeps_gaps : stage.keeps_matches) = false;
  return stage;
}

PreTokenizer::Stage PreTokenizer::digits_stage(const Json& description, const std::string& origin) {
  const bool individual = json_bool_or(description, "individual_digits", false, origin);
  Stage stage;
  stage.pattern.emplace_back(std::string(kDigitPattern) + (individual ? "" : "+"), origin);
  return stage;
}

PreTokenizer::Stage PreTokenizer::byte_level_stage(const Json& description, const std::string& origin) {
  Stage stage;
  stage.adds_prefix_space = json_bool_or(description, "add_prefix_space", true, origin);
  if (json_bool_or(description, "use_regex", true, origin)) stage.pattern.emplace_back(kGpt2Pattern, origin);
  return stage;
}

PreTokenizer PreTokenizer::from_json(const Json& description, const std::string& origin) {
  PreTokenizer result;
  bool is_byte_level = false;
  for (const Json& member : flatten(description, origin)) {
    const std::string type = json_string(member, "type", origin);
    if (is_byte_level) refuse(origin, "the pre-tokenizer '" + type + "' after ByteLevel");
    if (type == "Split") {
      result.stages_.push_back(split_stage(member, origin));
    } else if (type == "Digits") {
      result.stages_.push_back(digits_stage(member, origin));
    } else if (type == "ByteLevel") {
      result.stages_.push_back(byte_level_stage(member, origin));
      is_byte_level = true;
    } else {
      refuse(origin, "the pre-tokenizer '" + type + "'");
    }
  }
  if (!is_byte_level) refuse(origin, "a pre-tokenizer without ByteLevel (only byte-level BPE is read; this)");
  return result;
}

PreTokenizer PreTokenizer::gpt2() {
  PreTokenizer result;
  result.stages_.emplace_back().pattern.emplace_back(kGpt2Pattern, "GPT-2's split rule");
  return result;
}

// One call of split: its searches and where the words go.
class PreTokenizer::Run {
 public:
  Run(const std::vector<Stage>& stages, const std::function<void(std::string_view)>& emit)
      : stages_(stages), emit_(emit), searches_(stages.size()) {
    for (std::size_t i = 0; i < stages.size(); ++i) {
      if (!stages[i].pattern.empty()) searches_[i].emplace(stages[i].pattern.front());
    }
  }

  void piece(std::string_view text, std::size_t stage) {
    if (text.empty()) return;
    if (stage == stages_.size()) return emit_(text);
    if (!stages_[stage].adds_prefix_space || text.front() == ' ') return cut(text, stage);
    cut(" " + std::string(text), stage);
  }

 private:
  void cut(std::string_view text, std::size_t stage) {
    if (!searches_[stage]) return piece(text, stage + 1);
    std::size_t done = 0;  // everything before it was handed on
    std::size_t from = 0;
    while (const auto match = searches_[stage]->next(text, from)) {
      if (stages_[stage].keeps_gaps) piece(text.substr(done, match->begin - done), stage + 1);
      if (stages_[stage].keeps_matches) piece(text.substr(match->begin, match->end - match->begin), stage + 1);
      done = match->end;
      from = match->end > match->begin ? match->end : after_character(text, match->end);
      if (from >= text.size()) break;
    }
    if (stages_[stage].keeps_gaps) piece(text.substr(done), stage + 1);
  }

  // An empty match must not be found again at the same place.
  static std::size_t after_character(std::string_view text, std::size_t position) {
    do ++position;
    while (position < text.size() && (static_cast<unsigned char>(text[position]) & 0xC0U) == 0x80U);
    return position;
  }

  const std::vector<Stage>& stages_;
  const std::function<void(std::string_view)>& emit_;
  std::vector<std::optional<SplitPattern::Search>> searches_;
};

void PreTokenizer::split(std::string_view text, const std::function<void(std::string_view)>& emit) const {
  Run(stages_, emit).piece(text, 0);
}

}  // namespace rim
