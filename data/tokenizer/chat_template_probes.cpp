#include "data/tokenizer/chat_template_probes.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "data/tokenizer/chat_template.h"
#include "data/tokenizer/jinja_template.h"

namespace rim {
namespace {

using Family = ChatVariant::Family;
using Thinking = ChatVariant::Thinking;

struct Probe {
  std::vector<Message> messages;
  bool prompt = false;  // the assistant's header follows
  ThinkingMode mode = ThinkingMode::on;
};

// What the template made of a probe; nothing where it raised an exception of its own.
struct Rendering {
  Probe probe;
  std::optional<std::string> text;
};

// Letters name the roles; a capital A thinks. Texts differ, have white space at their ends, and the last user's may
// look like a tool's result ("t"), which Qwen3 takes for no question.
std::vector<Message> conversation(const std::string& roles) {
  std::vector<Message> messages;
  for (const char role : roles) {
    const std::string number = std::to_string(messages.size());
    if (role == 's') messages.push_back({"system", " rules " + number + "\n", ""});
    if (role == 'u') messages.push_back({"user", "\n ask " + number + " ", ""});
    if (role == 't') messages.push_back({"user", "<tool_response>\n" + number + "\n</tool_response>", ""});
    if (role == 'a') messages.push_back({"assistant", "\n\n say " + number + " \n", ""});
    if (role == 'A') messages.push_back({"assistant", "say " + number, "\n think " + number + " \n"});
  }
  return messages;
}

void drop_reasoning(std::vector<Message>& messages) {
  for (Message& message : messages) message.reasoning.clear();
}

// The plain ones first: a template may raise on the others, and on them alone.
constexpr std::array<const char*, 6> kUsual = {"u", "su", "ua", "sua", "uA", "uAuA"};
constexpr std::array<const char*, 12> kUnusual = {"uaua", "uAua", "uauA", "suAuA", "uAa", "uaA",
                                                  "uAAu", "usua", "au",   "a",     "uAt", "uAtA"};

std::string jinja_text(const JinjaTemplate& jinja, const Json& special_tokens, const Probe& probe) {
  Json variables = special_tokens;
  variables["messages"] = Json::array();
  for (const Message& message : probe.messages) {
    Json given = {{"role", message.role}, {"content", message.content}};
    if (!message.reasoning.empty()) given["reasoning_content"] = message.reasoning;
    variables["messages"].push_back(std::move(given));
  }
  variables["add_generation_prompt"] = probe.prompt;
  variables["tools"] = nullptr;
  variables["documents"] = nullptr;
  if (probe.prompt) {  // both families' names of the switch
    variables["enable_thinking"] = probe.mode == ThinkingMode::on;
    variables["open_thinking"] = probe.mode == ThinkingMode::on;
  }
  return jinja.render(variables);
}

// The user alone comes first: without a prompt, with one, and with one that switches thinking off.
std::vector<Rendering> render_probes(const JinjaTemplate& jinja, const Json& special_tokens) {
  std::vector<Rendering> renderings;
  const auto add = [&](const std::string& roles, bool prompt, ThinkingMode mode, bool may_raise) {
    Rendering rendering{{conversation(roles), prompt, mode}, std::nullopt};
    if (mode == ThinkingMode::off) drop_reasoning(rendering.probe.messages);
    try {
      rendering.text = jinja_text(jinja, special_tokens, rendering.probe);
    } catch (const JinjaRaised& raised) {
      if (!may_raise) throw JinjaError(std::string("it refuses a plain conversation: ") + raised.what());
    }
    renderings.push_back(std::move(rendering));
  };
  const auto add_all = [&](const std::string& roles, bool may_raise) {
    add(roles, false, ThinkingMode::on, may_raise);
    add(roles, true, ThinkingMode::on, may_raise);
    add(roles, true, ThinkingMode::off, may_raise);
  };
  for (const char* roles : kUsual) add_all(roles, false);
  for (const char* roles : kUnusual) add_all(roles, true);
  return renderings;
}

std::string our_text(const ChatTemplate& chat, Probe probe) {
  // A template that does not think passes reasoning over. (Where a data set has some, ours writes it.)
  if (!chat.thinks()) drop_reasoning(probe.messages);
  if (probe.prompt) return text_of(chat.render_prompt(probe.messages, probe.mode));
  std::string text;
  for (const RenderedPiece& piece : chat.render(probe.messages, probe.mode)) text += text_of(piece.spans);
  return text;
}

// Before the first user's turn: the text that begins the conversation, and a system turn's where there is one.
struct Opening {
  std::string bos;
  std::optional<std::string> system;
};

std::optional<Opening> opening_of(std::string_view text, Family family) {
  const bool is_llama = family == Family::llama3;
  const std::string_view user = is_llama ? "<|start_header_id|>user<|end_header_id|>\n\n" : "<|im_start|>user\n";
  const std::string_view system = is_llama ? "<|start_header_id|>system<|end_header_id|>\n\n" : "<|im_start|>system\n";
  const std::string_view end = is_llama ? "<|eot_id|>" : "<|im_end|>\n";
  const auto turn = text.find(user);
  if (turn == std::string_view::npos) return std::nullopt;
  std::string_view before = text.substr(0, turn);
  const auto header = before.find(system);
  if (header == std::string_view::npos) return Opening{std::string(before), std::nullopt};
  if (!before.ends_with(end)) return std::nullopt;
  before.remove_suffix(end.size());
  if (before.size() < header + system.size()) return std::nullopt;
  return Opening{std::string(before.substr(0, header)), std::string(before.substr(header + system.size()))};
}

// All variants that open a conversation as the template opens that of a user alone.
std::vector<ChatVariant> candidates(std::string_view user_alone) {
  std::vector<ChatVariant> variants;
  for (const Family family : {Family::chatml, Family::llama3}) {
    const auto opening = opening_of(user_alone, family);
    if (!opening) continue;
    for (const bool always_system : {false, true}) {
      if (always_system && !opening->system) continue;
      for (const bool trims : {false, true}) {
        for (const Thinking thinking : {Thinking::last_answer, Thinking::each_turn, Thinking::none}) {
          for (const bool opens : {false, true}) {
            if (opens && thinking == Thinking::none) continue;
            const std::string system = opening->system.value_or("");
            variants.push_back({.family = family,
                                .bos = opening->bos,
                                .default_system = always_system ? "" : system,
                                .system_prefix = always_system ? system : "",
                                .always_system = always_system,
                                .trims_content = trims,
                                .thinking = thinking,
                                .opens_thinking = opens});
          }
        }
      }
    }
  }
  return variants;
}

// Whether switching thinking off changes the prompt of a user alone. Where it does not, what "off" does is ours to say.
bool switches_thinking(const std::vector<Rendering>& renderings) { return renderings[1].text != renderings[2].text; }

std::string spelled(const Probe& probe) {
  std::string roles;
  for (const Message& message : probe.messages) {
    roles += (roles.empty() ? "" : ", ") + message.role + (message.reasoning.empty() ? "" : " with reasoning");
  }
  const bool off = probe.mode == ThinkingMode::off;
  return "(" + roles + ")" + (probe.prompt ? std::string(" as a prompt") + (off ? ", thinking off" : "") : "");
}

// The number of probes that are alike, from the first on.
std::size_t count_alike(const ChatVariant& variant, const std::vector<Rendering>& renderings, bool switches) {
  const ChatTemplate chat(variant);
  for (std::size_t i = 0; i < renderings.size(); ++i) {
    const auto& [probe, text] = renderings[i];
    const bool ours_to_say = probe.mode == ThinkingMode::off && !switches && chat.thinks();
    if (text && !ours_to_say && our_text(chat, probe) != *text) return i;
  }
  return renderings.size();
}

}  // namespace

std::variant<ChatVariant, std::string> recognise_template(const std::string& source, const Json& special_tokens) {
  try {
    const JinjaTemplate jinja(source);
    const std::vector<Rendering> renderings = render_probes(jinja, special_tokens);
    const bool switches = switches_thinking(renderings);
    std::size_t most_alike = 0;
    for (const ChatVariant& variant : candidates(renderings.front().text.value_or(""))) {
      const std::size_t alike = count_alike(variant, renderings, switches);
      if (alike == renderings.size()) return variant;
      most_alike = std::max(most_alike, alike);
    }
    return "no supported template renders " + spelled(renderings[most_alike].probe) + " as it does";
  } catch (const JinjaError& error) {
    return error.what();
  }
}

}  // namespace rim
