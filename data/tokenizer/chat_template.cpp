#include "data/tokenizer/chat_template.h"

#include <algorithm>
#include <string_view>

#include "data/support/error.h"
#include "data/support/text.h"
#include "data/tokenizer/utf8.h"

namespace rim {
namespace {

constexpr std::string_view kEmptyThinkSpan = "<think>\n\n</think>\n\n";
constexpr std::string_view kThinkStart = "<think>\n";
constexpr std::string_view kThinkEnd = "\n</think>\n\n";

// Python's str.strip(), which Jinja's trim is: Unicode white space and the four information separators.
bool python_strips(char32_t character) { return is_white_space(character) || (character >= 0x1C && character <= 0x1F); }

std::string python_strip(const std::string& text) {
  std::size_t begin = 0;
  std::size_t end = text.size();
  for (std::size_t next = 0; begin < end && python_strips(next_code_point(text, next));) begin = next;
  for (std::size_t next = end; end > begin && python_strips(previous_code_point(text, next));) end = next;
  return text.substr(begin, end - begin);
}

std::string without_leading_newlines(const std::string& text) {
  return text.substr(std::min(text.find_first_not_of('\n'), text.size()));
}

// Qwen3 does not count tool results, which arrive as the user's, as a question.
bool is_question(const Message& message) {
  return message.role == "user" &&
         !(message.content.starts_with("<tool_response>") && message.content.ends_with("</tool_response>"));
}

// Turns behind it belong to the answer that is going on; without a question there are none.
std::size_t last_question(const std::vector<Message>& messages) {
  for (std::size_t i = messages.size(); i > 0; --i) {
    if (is_question(messages[i - 1])) return i - 1;
  }
  return messages.size();
}

}  // namespace

ThinkingMode parse_thinking_mode(const std::string& name) {
  if (name == "on") return ThinkingMode::on;
  if (name == "off") return ThinkingMode::off;
  if (name == "empty") return ThinkingMode::empty;
  throw Error(ExitCode::config, "thinking mode '" + name + "' is none of on, off, empty");
}

std::string to_string(ThinkingMode mode) {
  switch (mode) {
    case ThinkingMode::on:
      return "on";
    case ThinkingMode::off:
      return "off";
    case ThinkingMode::empty:
      return "empty";
  }
  throw Error(ExitCode::software, "thinking mode outside its enumeration");
}

// Writes one conversation. Neighbouring text that is equally trained and equally literal stays together.
class ChatTemplate::Renderer {
 public:
  Renderer(const ChatTemplate& chat, const std::vector<Message>& messages, ThinkingMode thinking)
      : variant_(chat.variant_),
        end_of_turn_(chat.end_of_turn_),
        messages_(messages),
        thinking_(thinking),
        last_question_(last_question(messages)) {}

  void conversation() {
    if (messages_.empty() && !variant_.always_system) return;
    write(variant_.bos);
    std::size_t first = 0;
    const bool has_system = !messages_.empty() && messages_.front().role == "system";
    if (variant_.always_system) {
      turn("system", variant_.system_prefix, has_system ? content_of(messages_.front()) : "");
      first = has_system ? 1 : 0;
    } else if (!has_system && !variant_.default_system.empty()) {
      turn("system", variant_.default_system, "");
    }
    for (std::size_t i = first; i < messages_.size(); ++i) message(i);
  }

  void assistant_header() {
    header("assistant");
    const bool thinks_off = thinking_ == ThinkingMode::off && variant_.thinks();
    if (thinks_off || thinking_ == ThinkingMode::empty) {
      write(kEmptyThinkSpan);
    } else if (thinking_ == ThinkingMode::on && variant_.opens_thinking) {
      write(kThinkStart);
    }
  }

  std::vector<RenderedPiece> take_pieces() { return std::move(pieces_); }

 private:
  void write(std::string_view text, bool literal = false, bool trained = false) {
    if (text.empty()) return;
    if (pieces_.empty() || pieces_.back().trained != trained) pieces_.push_back({{}, trained});
    auto& spans = pieces_.back().spans;
    if (spans.empty() || spans.back().literal != literal) spans.push_back({"", literal});
    spans.back().text += text;
  }

  void header(const std::string& role) {
    const bool is_llama = variant_.family == ChatVariant::Family::llama3;
    write(is_llama ? "<|start_header_id|>" + role + "<|end_header_id|>\n\n" : "<|im_start|>" + role + "\n");
  }

  void end_turn(bool trained) {
    write(end_of_turn_, false, trained);
    if (variant_.family == ChatVariant::Family::chatml) write("\n");
  }

  [[nodiscard]] std::string content_of(const Message& message) const {
    return variant_.trims_content ? python_strip(message.content) : message.content;
  }

  void turn(const std::string& role, std::string_view prefix, std::string_view content) {
    header(role);
    write(prefix);
    write(content, true);
    end_turn(false);
  }

  void message(std::size_t index) {
    const Message& message = messages_[index];
    if (message.role == "system" || message.role == "user") return turn(message.role, "", content_of(message));
    if (message.role == "assistant") return assistant_turn(index);
    throw Error(ExitCode::bad_data, "message " + std::to_string(index + 1) + " has the role '" + message.role +
                                        "'; only system, user and assistant are known");
  }

  void assistant_turn(std::size_t index) {
    header("assistant");
    if (has_think_span(index)) {
      think_span(reasoning_of(messages_[index]));
      write(without_leading_newlines(content_of(messages_[index])), true, true);
    } else {
      write(content_of(messages_[index]), true, true);
    }
    end_turn(true);
  }

  [[nodiscard]] std::string_view reasoning_of(const Message& message) const {
    return thinking_ == ThinkingMode::on ? std::string_view(message.reasoning) : std::string_view();
  }

  [[nodiscard]] bool has_think_span(std::size_t index) const {
    const bool has_reasoning = !reasoning_of(messages_[index]).empty();
    if (!variant_.thinks() && thinking_ != ThinkingMode::empty && !has_reasoning) return false;
    if (variant_.thinking == ChatVariant::Thinking::each_turn) return true;
    const bool answers_now = last_question_ < messages_.size() && index > last_question_;
    return answers_now && (index + 1 == messages_.size() || has_reasoning);
  }

  void think_span(std::string_view reasoning) {
    const std::string_view thought = trim(reasoning, "\n");
    if (thought.empty()) return write(kEmptyThinkSpan);
    write(kThinkStart, false, !variant_.opens_thinking);
    write(thought, true, true);
    write(kThinkEnd, false, true);
  }

  const ChatVariant& variant_;
  const std::string& end_of_turn_;
  const std::vector<Message>& messages_;
  ThinkingMode thinking_;
  std::size_t last_question_;
  std::vector<RenderedPiece> pieces_;
};

ChatTemplate::ChatTemplate(ChatVariant variant) : variant_(std::move(variant)) {
  const bool is_llama = variant_.family == ChatVariant::Family::llama3;
  name_ = is_llama ? "llama3" : "chatml";
  end_of_turn_ = is_llama ? "<|eot_id|>" : "<|im_end|>";
}

ChatTemplate ChatTemplate::missing(const Error& reason) {
  ChatTemplate result;
  result.name_ = "none";
  result.missing_ = reason;
  return result;
}

void ChatTemplate::require_present() const {
  if (missing_) throw Error(*missing_);
}

std::vector<RenderedPiece> ChatTemplate::render(const std::vector<Message>& messages, ThinkingMode thinking) const {
  require_present();
  Renderer renderer(*this, messages, thinking);
  renderer.conversation();
  return renderer.take_pieces();
}

std::vector<TextSpan> ChatTemplate::render_prompt(const std::vector<Message>& messages, ThinkingMode thinking) const {
  require_present();
  Renderer renderer(*this, messages, thinking);
  renderer.conversation();
  renderer.assistant_header();
  std::vector<TextSpan> spans;
  for (RenderedPiece& piece : renderer.take_pieces()) {
    for (TextSpan& span : piece.spans) spans.push_back(std::move(span));
  }
  return spans;
}

}  // namespace rim
