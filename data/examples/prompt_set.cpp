#include "data/examples/prompt_set.h"

#include <algorithm>
#include <functional>

#include "data/examples/example.h"
#include "data/support/csv.h"
#include "data/support/error.h"
#include "data/support/json_lines.h"
#include "data/support/sha256.h"
#include "data/support/text.h"
#include "data/tokenizer/utf8.h"

namespace rim {
namespace {

// Both kinds of file as rows of named members; CSV values are all strings.
using RowVisitor = std::function<bool(const Json& row, const std::string& origin)>;

void visit_csv_rows(const std::filesystem::path& path, const RowVisitor& visit) {
  const CsvTable table = read_csv_file(path);
  const auto place = [&](std::int64_t line) { return path.string() + ":" + std::to_string(line); };
  if (!std::ranges::all_of(table.header, is_valid_utf8)) refuse_data(place(1), "the header is not UTF-8 text");
  for (const CsvRow& row : table.rows) {
    if (!std::ranges::all_of(row.fields, is_valid_utf8)) refuse_data(place(row.line), "is not UTF-8 text");
    Json object = Json::object();
    for (std::size_t i = 0; i < table.header.size(); ++i) object[table.header[i]] = row.fields[i];
    if (!visit(object, place(row.line))) return;
  }
}

void visit_rows(const std::filesystem::path& path, const RowVisitor& visit) {
  const std::string extension = lower_ascii(path.extension().string());
  if (extension == ".csv") return visit_csv_rows(path, visit);
  if (extension == ".jsonl") return visit_json_lines(path, visit);
  throw Error(ExitCode::config, path.string() + ": a prompt set must be a .jsonl or .csv file");
}

std::string field_names(const Json& row) {
  std::vector<std::string> names;
  for (const auto& [name, value] : row.items()) names.push_back(name);
  return join(names, ", ");
}

const Json& required_field(const Json& row, const std::string& field, const std::string& origin) {
  const auto found = row.find(field);
  if (found == row.end()) refuse_data(origin, "there is no field '" + field + "'; the fields are " + field_names(row));
  return *found;
}

// Strings as they are; numbers and truth values as JSON spells them.
std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::string optional_text(const Json& row, const std::string& field) {
  const auto found = row.find(field);
  return found == row.end() || !found->is_primitive() || found->is_null() ? "" : text_of(*found);
}

Prompt read_field_row(const Json& row, const std::string& field, const std::string& origin) {
  const Json& text = required_field(row, field, origin);
  if (!text.is_string()) refuse_data(origin, "'" + field + "' must be a string, but is " + text.type_name());
  return {.id = "",
          .text = text.get<std::string>(),
          .reasoning = optional_text(row, "reasoning"),
          .response = optional_text(row, "response"),
          .answer = optional_text(row, "answer"),
          .topic = optional_text(row, "topic")};
}

Prompt prompt_of(const Example& example) {
  const auto& messages = example.messages;
  const auto last = std::ranges::find(messages.rbegin(), messages.rend(), "user", &Message::role);
  if (last == messages.rend()) refuse_data(example.origin, "there is no user turn");
  const auto user = last.base() - 1;
  Prompt prompt{.id = "", .text = user->content, .reasoning = "", .response = "", .answer = example.answer};
  prompt.before.assign(messages.begin(), user);
  if (last == messages.rbegin()) return prompt;
  if (messages.end() - user != 2 || messages.back().role != "assistant") {
    refuse_data(example.origin,
                "behind the last user turn, a prompt has one assistant turn, its reference response, or nothing");
  }
  prompt.reasoning = messages.back().reasoning;
  prompt.response = messages.back().content;
  return prompt;
}

Prompt read_row(const PromptSetSource& source, const Json& row, const std::string& origin) {
  return source.format == "field" ? read_field_row(row, source.field, origin)
                                  : prompt_of(example_from_row(row, source.format, origin));
}

// "column=value" as a test of rows.
class RowFilter {
 public:
  RowFilter(const std::string& where, const std::filesystem::path& path) {
    if (where.empty()) return;
    const auto equals = where.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error(ExitCode::config, path.string() + ": where: '" + where + "' must read column=value");
    }
    column_ = trim(std::string_view(where).substr(0, equals));
    value_ = trim(std::string_view(where).substr(equals + 1));
  }
  [[nodiscard]] bool keeps(const Json& row, const std::string& origin) const {
    return column_.empty() || text_of(required_field(row, column_, origin)) == value_;
  }

 private:
  std::string column_;
  std::string value_;
};

void require_sound(const PromptSetSource& source) {
  if (source.limit && *source.limit < 1)
    throw Error(ExitCode::config, source.path.string() + ": limit must be at least 1");
  if (source.format == "field" || source.format == "gsm8k" || source.format == "messages") return;
  throw Error(ExitCode::config, source.path.string() + ": unknown prompt set format '" + source.format +
                                    "': use field, gsm8k or messages");
}

}  // namespace

PromptSet read_prompt_set(const std::string& name, const PromptSetSource& source) {
  require_sound(source);
  const RowFilter filter(source.where, source.path);
  PromptSet set{.name = name, .prompts = {}};
  std::int64_t row_number = 0;
  visit_rows(source.path, [&](const Json& row, const std::string& origin) {
    ++row_number;
    if (!filter.keeps(row, origin)) return true;
    Prompt prompt = read_row(source, row, origin);
    if (trim(prompt.text).empty()) refuse_data(origin, "the prompt is empty");
    prompt.id = optional_text(row, "id");
    if (prompt.id.empty()) prompt.id = source.path.stem().string() + ":" + std::to_string(row_number);
    set.prompts.push_back(std::move(prompt));
    return !source.limit || std::ssize(set.prompts) < *source.limit;
  });
  if (set.prompts.empty()) {
    refuse_data(source.path.string(),
                "prompt set '" + name + "' is empty" + (source.where.empty() ? "" : " where " + source.where));
  }
  return set;
}

std::string digest_of(const PromptSet& set) {
  std::string bytes;
  const auto add = [&](std::string_view field) { bytes.append(std::to_string(field.size()) + ":").append(field); };
  for (const Prompt& prompt : set.prompts) {
    for (const auto& field : {prompt.id, prompt.text, prompt.reasoning, prompt.response, prompt.answer, prompt.topic}) {
      add(field);
    }
    for (const Message& message : prompt.before) {
      for (const auto& field : {message.role, message.content, message.reasoning}) add(field);
    }
  }
  return sha256_hex(bytes);
}

}  // namespace rim
