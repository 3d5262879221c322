// Messages as data sets write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/support/json.h"
#include "data/tokenizer/chat_template.h"

namespace rim {

struct MessageList {
  std::vector<Message> messages;
  std::vector<std::uint8_t> trained;  // same length; 0: not to be trained (OpenAI's "weight": 0)
};

// The row's list `key`. Of a message's members, role, content, reasoning_content (or reasoning, or thinking) and weight
// count. An assistant's content is split at its think span as Qwen3's template does it: "<think>...</think>" at its
// start, or "...</think>" whose opening tag the prompt had. Throws Error(bad_data), headed by `origin`, for malformed
// messages, for think tags elsewhere in an assistant's message, and for tool calls, which no template here writes.
MessageList read_messages(const Json& row, std::string_view key, const std::string& origin);

}  // namespace rim
