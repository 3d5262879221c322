// Conversations to text: ChatML (Qwen2.5, Qwen3, SmolLM2, MiniMind) and Llama-3, equal to the families' own Jinja
// templates for plain conversations (no tools).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/support/error.h"
#include "data/tokenizer/tokenizer.h"

namespace rim {

struct Message {
  std::string role;       // "system", "user" or "assistant"
  std::string content;    // without any think span
  std::string reasoning;  // the think span of an assistant turn, without its tags; empty: none
};

// on:    the model may think: prompts end after the assistant header (MiniMind's behind an opened think tag); a
//        reasoning turn is rendered with its think span.
// off:   thinking is switched off the family's own way: where the tokenizer has a <think> token an empty think span
//        ends the prompt (Qwen3's enable_thinking=False), elsewhere nothing. Reasoning in the data is dropped.
// empty: the empty think span ends the prompt, whatever the family.
enum class ThinkingMode { on, off, empty };
// Throws Error(config) for a name other than these three.
ThinkingMode parse_thinking_mode(const std::string& name);
std::string to_string(ThinkingMode mode);

// A piece of a rendered conversation. Pieces are tokenised one by one: the border of a trained piece is where
// generation would start, so tokens never straddle it.
struct RenderedPiece {
  std::vector<TextSpan> spans;
  bool trained = false;  // the assistant's words and the token that ends its turn
};

// Immutable, thread-safe.
class ChatTemplate {
 public:
  // Chosen from the tokenizer's special tokens and, where the folder has them, chat_template.jinja or
  // tokenizer_config.json's chat_template (its default system prompt, Llama-3.1's date lines, Qwen3's thinking).
  // `name`: "auto", "chatml" or "llama3"; another name throws Error(config). Throws Error(bad_data) where no supported
  // template fits or the tokenizer lacks its tokens. Llama-3.2 puts today's date into its system turn; here it is the
  // fixed date of the template's fallback, so that runs repeat.
  static ChatTemplate detect(const std::filesystem::path& model_folder, const Tokenizer& tokenizer,
                             const std::string& name = "auto");

  // Stands in where detect() threw `reason` and nobody may ever ask: name() is "none", end_of_turn() is empty, and
  // rendering throws `reason`.
  static ChatTemplate missing(const Error& reason);

  // The whole conversation, assistant turns trained. An empty think span is never trained. As in Qwen3's template,
  // turns before the last user message lose their reasoning, and in a family that thinks a last turn without reasoning
  // gets an empty think span. Throws Error(bad_data) for an unknown role.
  [[nodiscard]] std::vector<RenderedPiece> render(const std::vector<Message>& messages, ThinkingMode thinking) const;
  // The conversation so far and the assistant header (and the empty think span where `thinking` says so).
  [[nodiscard]] std::vector<TextSpan> render_prompt(const std::vector<Message>& messages, ThinkingMode thinking) const;

  [[nodiscard]] const std::string& name() const { return name_; }
  // Spelling of the token that ends an assistant turn, e.g. "<|im_end|>".
  [[nodiscard]] const std::string& end_of_turn() const { return end_of_turn_; }
  [[nodiscard]] bool thinks() const { return thinks_; }

 private:
  enum class Family { chatml, llama3 };
  class Renderer;  // chat_template.cpp

  ChatTemplate() = default;
  void require_present() const;

  std::optional<Error> missing_;
  Family family_ = Family::chatml;
  std::string name_;
  std::string end_of_turn_;
  std::string bos_;                // text put before the first turn; empty: none
  std::string default_system_;     // system turn used where the conversation has none; empty: none
  std::string system_prefix_;      // Llama-3.1's date lines, before the system text
  bool always_system_ = false;     // Llama-3.1 writes a system turn even when it is empty
  bool trims_content_ = false;     // Llama-3 trims each message
  bool thinks_ = false;            // the family has <think> spans
  bool thinks_each_turn_ = false;  // MiniMind writes a think span in every assistant turn, not only in the last
  bool opens_thinking_ = false;    // MiniMind's prompts end in "<think>\n" where the model may think
};

}  // namespace rim
