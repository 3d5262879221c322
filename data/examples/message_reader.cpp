#include "data/examples/message_reader.h"

#include <algorithm>
#include <array>

#include "data/support/error.h"
#include "data/support/text.h"
#include "data/support/think_tags.h"

namespace rim {
namespace {

// Data sets with one schema for all rows write null, [] or "" where there are none.
bool says_something(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && !found->is_null() && !((found->is_array() || found->is_object()) && found->empty()) &&
         *found != "";
}

void refuse_tools(const Json& object, std::initializer_list<const char*> keys, const std::string& origin) {
  for (const char* key : keys) {
    if (says_something(object, key))
      refuse_data(origin, std::string("'") + key + "' is not supported: no tools are rendered");
  }
}

std::string read_reasoning(const Json& object, const std::string& origin) {
  std::string reasoning;
  for (const char* key : {"reasoning_content", "reasoning", "thinking"}) {
    const std::string words = json_string_or(object, key, "", origin);
    if (!reasoning.empty() && !words.empty() && words != reasoning) {
      refuse_data(origin, std::string("'") + key + "' says something else than the message's other reasoning");
    }
    if (reasoning.empty()) reasoning = words;
  }
  return reasoning;
}

void refuse_think_tags(std::string_view text, const std::string& origin) {
  for (const std::string_view tag : {kThinkOpen, kThinkClose}) {
    if (text.find(tag) == std::string_view::npos) continue;
    refuse_data(origin, "'" + std::string(tag) +
                            "' stands where no think span begins or ends: an assistant message holds one " +
                            "span at its start, or its reasoning in 'reasoning_content'");
  }
}

// The think span becomes the reasoning, less the line breaks around both parts.
void split_think_span(Message& message) {
  const std::string_view content = message.content;
  const auto close = content.find(kThinkClose);
  if (close == std::string_view::npos) return;
  std::string_view thought = content.substr(0, close);
  const auto begin = std::min(thought.find_first_not_of(kWhitespace), thought.size());
  if (thought.substr(begin).starts_with(kThinkOpen)) thought.remove_prefix(begin + kThinkOpen.size());
  std::string answer(content.substr(close + kThinkClose.size()));
  message.reasoning = trim(thought, "\n");
  message.content = answer.erase(0, answer.find_first_not_of('\n'));
}

Message read_message(const Json& object, const std::string& origin) {
  Message message{.role = json_string(object, "role", origin), .content = "", .reasoning = ""};
  static constexpr std::array<std::string_view, 3> kRoles = {"system", "user", "assistant"};
  if (std::ranges::find(kRoles, message.role) == kRoles.end()) {
    refuse_data(origin, "role '" + message.role + "' is none of system, user, assistant");
  }
  refuse_tools(object, {"tool_calls", "function_call"}, origin);
  message.content = json_string(object, "content", origin);
  message.reasoning = read_reasoning(object, origin);
  if (message.role != "assistant") {
    if (!message.reasoning.empty()) refuse_data(origin, "'reasoning_content' belongs to assistant messages only");
    return message;
  }
  if (message.reasoning.empty()) split_think_span(message);
  refuse_think_tags(message.reasoning, origin);
  refuse_think_tags(message.content, origin);
  return message;
}

bool read_weight(const Json& object, const std::string& origin) {
  const double weight = json_number_or(object, "weight", 1, origin);
  if (weight != 0 && weight != 1) refuse_data(origin, "'weight' must be 0 (not trained) or 1");
  return weight != 0;
}

}  // namespace

MessageList read_messages(const Json& row, std::string_view key, const std::string& origin) {
  refuse_tools(row, {"tools", "functions"}, origin);
  const auto found = row.find(key);
  if (found == row.end()) refuse_data(origin, "'" + std::string(key) + "' is missing");
  if (!found->is_array() || found->empty()) {
    refuse_data(origin, "'" + std::string(key) + "' must be a list of messages with at least one in it");
  }
  MessageList list;
  for (std::size_t i = 0; i < found->size(); ++i) {
    const std::string place = origin + ": " + std::string(key) + "[" + std::to_string(i) + "]";
    list.messages.push_back(read_message((*found)[i], place));
    list.trained.push_back(read_weight((*found)[i], place) ? 1 : 0);
  }
  return list;
}

}  // namespace rim
