// Conversations to text: ChatML (Qwen2.5, Qwen3, SmolLM2, MiniMind) and Llama-3, equal to the families' own Jinja
// templates for plain conversations (no tools).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/support/error.h"
#include "data/tokenizer/chat_variant.h"
#include "data/tokenizer/tokenizer.h"

namespace rim {

struct Message {
  std::string role;       // "system", "user" or "assistant"
  std::string content;    // without any think span
  std::string reasoning;  // the think span of an assistant turn, without its tags; empty: none
  bool operator==(const Message&) const = default;
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
  explicit ChatTemplate(ChatVariant variant);

  // The folder's own template (chat_template.jinja, or tokenizer_config.json's chat_template), where it is one of the
  // supported ones: it is run on a set of conversations, and the variant that renders all of them alike is taken. With
  // no template in the folder the tokenizer's special tokens decide. `name`: "auto", or "chatml" or "llama3", which
  // render a folder's unsupported template as the plain family; another name throws Error(config). Throws
  // Error(bad_data) that names the file and the remedy where the folder's template renders otherwise than any variant,
  // or the tokenizer lacks a template's tokens. Llama-3.2 puts today's date into its system turn; here it is the fixed
  // date of the template's fallback, so that runs repeat.
  static ChatTemplate detect(const std::filesystem::path& model_folder, const Tokenizer& tokenizer,
                             const std::string& name = "auto");

  // Stands in where detect() threw `reason` and nobody may ever ask: name() is "none", end_of_turn() is empty, and
  // rendering throws `reason`.
  static ChatTemplate missing(const Error& reason);

  // The whole conversation, assistant turns trained: one trained piece for each. An empty think span is never trained.
  // Where the family thinks as Qwen3 does, turns before the last user message lose their reasoning, and a last turn
  // without reasoning gets an empty think span. Throws Error(bad_data) for an unknown role.
  [[nodiscard]] std::vector<RenderedPiece> render(const std::vector<Message>& messages, ThinkingMode thinking) const;
  // The conversation so far and the assistant header (and the empty think span where `thinking` says so).
  [[nodiscard]] std::vector<TextSpan> render_prompt(const std::vector<Message>& messages, ThinkingMode thinking) const;

  [[nodiscard]] const std::string& name() const { return name_; }
  // Spelling of the token that ends an assistant turn, e.g. "<|im_end|>".
  [[nodiscard]] const std::string& end_of_turn() const { return end_of_turn_; }
  [[nodiscard]] bool thinks() const { return variant_.thinks(); }

 private:
  class Renderer;  // chat_template.cpp

  ChatTemplate() = default;
  void require_present() const;

  std::optional<Error> missing_;
  ChatVariant variant_;
  std::string name_;
  std::string end_of_turn_;
};

}  // namespace rim
