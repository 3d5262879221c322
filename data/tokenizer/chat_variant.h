// What the supported chat templates differ in.
#pragma once

#include <string>

namespace rim {

struct ChatVariant {
  enum class Family { chatml, llama3 };
  // none: no <think> spans. last_answer: Qwen3's rule (turns before the last question lose their reasoning, the last
  // turn always has a span). each_turn: every assistant turn has a span and keeps its reasoning (MiniMind).
  enum class Thinking { none, last_answer, each_turn };

  Family family = Family::chatml;
  std::string bos;             // text put before the first turn; empty: none
  std::string default_system;  // system turn used where the conversation has none; empty: none
  std::string system_prefix;   // Llama-3.1's date lines, before the system text
  bool always_system = false;  // Llama-3.1 writes a system turn even when it is empty
  bool trims_content = false;  // Llama-3 trims each message
  Thinking thinking = Thinking::none;
  bool opens_thinking = false;  // prompts end in "<think>\n" where the model may think (MiniMind, Qwen3-Thinking-2507)

  [[nodiscard]] bool thinks() const { return thinking != Thinking::none; }
};

}  // namespace rim
