#include "data/examples/example.h"

#include <algorithm>

#include "data/examples/message_reader.h"
#include "data/support/error.h"
#include "data/support/json_lines.h"
#include "data/support/text.h"

namespace rim {
namespace {

Example read_conversation(const Json& row, const std::string& origin) {
  Example example;
  MessageList list = read_messages(row, "messages", origin);
  example.messages = std::move(list.messages);
  example.trained = std::move(list.trained);
  return example;
}

Example read_prompt_completion(const Json& row, const std::string& origin) {
  Example example;
  const bool prompt_is_list = row.contains("prompt") && row["prompt"].is_array();
  const bool completion_is_list = row.contains("completion") && row["completion"].is_array();
  if (prompt_is_list != completion_is_list) {
    refuse_data(origin, "'prompt' and 'completion' must both be strings or both lists of messages");
  }
  if (!prompt_is_list) {
    example.prompt = json_string(row, "prompt", origin);
    example.completion = json_string(row, "completion", origin);
    return example;
  }
  example.messages = read_messages(row, "prompt", origin).messages;
  example.trained.resize(example.messages.size(), 0);
  MessageList completion = read_messages(row, "completion", origin);
  std::ranges::move(completion.messages, std::back_inserter(example.messages));
  std::ranges::copy(completion.trained, std::back_inserter(example.trained));
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
  if (mark == std::string::npos) refuse_data(origin, "'answer' has no '####' before the final number");
  Example example;
  example.answer = trim(std::string_view(worked).substr(mark + kMark.size()));
  if (example.answer.empty()) refuse_data(origin, "nothing follows '####' in 'answer'");
  const std::string reasoning = without_calculator_marks(std::string_view(worked).substr(0, mark));
  example.messages = {{.role = "user", .content = json_string(row, "question", origin), .reasoning = ""},
                      {.role = "assistant", .content = example.answer, .reasoning = std::string(trim(reasoning))}};
  example.trained = {1, 1};
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
  if (examples.empty()) refuse_data(source.path.string(), "holds no examples");
  return examples;
}

}  // namespace rim
