#include "data/examples/example.h"

#include <algorithm>
#include <array>

#include "data/support/error.h"
#include "data/support/json_lines.h"
#include "data/support/text.h"
#include "data/support/think_tags.h"

namespace rim {
namespace {

[[noreturn]] void refuse(const std::string& origin, const std::string& what) {
  throw Error(ExitCode::bad_data, origin + ": " + what);
}

// A leading think span becomes the reasoning, less the line breaks around both parts, as Qwen3's template does.
void split_think_span(Message& message) {
  const std::string_view content = message.content;
  const std::string_view body = content.substr(std::min(content.find_first_not_of(kWhitespace), content.size()));
  const auto close = body.find(kThinkClose);
  if (!body.starts_with(kThinkOpen) || close == std::string_view::npos) return;
  std::string answer(body.substr(close + kThinkClose.size()));
  message.reasoning = trim(body.substr(kThinkOpen.size(), close - kThinkOpen.size()), "\n");
  message.content = answer.erase(0, answer.find_first_not_of('\n'));
}

Message read_message(const Json& object, const std::string& origin) {
  Message message{.role = json_string(object, "role", origin),
                  .content = json_string(object, "content", origin),
                  .reasoning = json_string_or(object, "reasoning_content", "", origin)};
  static constexpr std::array<std::string_view, 3> kRoles = {"system", "user", "assistant"};
  if (std::ranges::find(kRoles, message.role) == kRoles.end()) {
    refuse(origin, "role '" + message.role + "' is none of system, user, assistant");
  }
  if (message.role != "assistant" && !message.reasoning.empty()) {
    refuse(origin, "'reasoning_content' belongs to assistant messages only");
  }
  if (message.role == "assistant" && message.reasoning.empty()) split_think_span(message);
  return message;
}

std::vector<Message> read_messages(const Json& row, std::string_view key, const std::string& origin) {
  const auto found = row.find(key);
  if (found == row.end()) refuse(origin, "'" + std::string(key) + "' is missing");
  if (!found->is_array() || found->empty()) {
    refuse(origin, "'" + std::string(key) + "' must be a list of messages with at least one in it");
  }
  std::vector<Message> messages;
  for (std::size_t i = 0; i < found->size(); ++i) {
    messages.push_back(read_message((*found)[i], origin + ": " + std::string(key) + "[" + std::to_string(i) + "]"));
  }
  return messages;
}

Example read_conversation(const Json& row, const std::string& origin) {
  Example example;
  example.messages = read_messages(row, "messages", origin);
  return example;
}

Example read_prompt_completion(const Json& row, const std::string& origin) {
  Example example;
  const bool prompt_is_list = row.contains("prompt") && row["prompt"].is_array();
  const bool completion_is_list = row.contains("completion") && row["completion"].is_array();
  if (prompt_is_list != completion_is_list) {
    refuse(origin, "'prompt' and 'completion' must both be strings or both lists of messages");
  }
  if (!prompt_is_list) {
    example.prompt = json_string(row, "prompt", origin);
    example.completion = json_string(row, "completion", origin);
    return example;
  }
  example.messages = read_messages(row, "prompt", origin);
  example.given_messages = example.messages.size();
  std::ranges::move(read_messages(row, "completion", origin), std::back_inserter(example.messages));
  return example;
}

// GSM8K's calculator annotations: "48/2 = <<48/2=24>>24" reads "48/2 = 24".
std::string without_calculator_marks(std::string_view text) {
  std::string cleaned;
  for (;;) {
    const auto open = text.find("<<");
    const auto close = open == std::string_view::npos ? open : text.find(">>", open);
    if (close == std::string_view::npos) return cleaned.append(text);
    cleaned.append(text.substr(0, open));
    text.remove_prefix(close + 2);
  }
}

Example read_gsm8k(const Json& row, const std::string& origin) {
  static constexpr std::string_view kMark = "####";
  const std::string worked = json_string(row, "answer", origin);
  const auto mark = worked.rfind(kMark);
  if (mark == std::string::npos) refuse(origin, "'answer' has no '####' before the final number");
  Example example;
  example.answer = trim(std::string_view(worked).substr(mark + kMark.size()));
  if (example.answer.empty()) refuse(origin, "nothing follows '####' in 'answer'");
  const std::string reasoning = without_calculator_marks(std::string_view(worked).substr(0, mark));
  example.messages = {{.role = "user", .content = json_string(row, "question", origin), .reasoning = ""},
                      {.role = "assistant", .content = example.answer, .reasoning = std::string(trim(reasoning))}};
  return example;
}

using RowReader = Example (*)(const Json& row, const std::string& origin);

RowReader reader_for(const std::string& format, const std::string& origin) {
  if (format == "messages") return read_conversation;
  if (format == "prompt_completion") return read_prompt_completion;
  if (format == "gsm8k") return read_gsm8k;
  throw Error(ExitCode::config, origin + ": unknown format '" + format + "': use messages, prompt_completion or gsm8k");
}

}  // namespace

Example example_from_row(const Json& row, const std::string& format, const std::string& origin) {
  Example example = reader_for(format, origin)(row, origin);
  example.origin = origin;
  return example;
}

std::vector<Example> read_examples(const DatasetSource& source) {
  reader_for(source.format, source.path.string());  // an unknown format is told before the file is opened
  if (source.limit && *source.limit < 1)
    throw Error(ExitCode::config, source.path.string() + ": limit must be at least 1");
  std::vector<Example> examples;
  visit_json_lines(source.path, [&](const Json& row, const std::string& origin) {
    examples.push_back(example_from_row(row, source.format, origin));
    return !source.limit || std::ssize(examples) < *source.limit;
  });
  if (examples.empty()) refuse(source.path.string(), "holds no examples");
  return examples;
}

}  // namespace rim
