// Lets a Python reference drive the tokenizer: requests as JSON lines on standard input, one answer line for each.
//   tokenizer_tool PATH [TEMPLATE_FOLDER]
//   {"op": "encode", "text": T} or {"op": "encode", "hex": BYTES}       -> {"ids": [...]}
//   {"op": "encode_whole_text", "text": T}                              -> {"ids": [...]}
//   {"op": "encode_spans", "spans": [{"text": T, "literal": B}, ...]}   -> {"ids": [...]}
//   {"op": "decode", "ids": [...], "skip": B}                           -> {"text": T}
//   {"op": "render", "messages": [{"role", "content", "reasoning"}], "thinking": "on"}
//                                                 -> {"pieces": [{"text": T, "trained": B, "spans": [...]}]}
//   {"op": "prompt", ...as render}                                      -> {"text": T}
//   {"op": "jinja", "template": T, "variables": {...}}                  -> {"text": T} or {"refused": WHY}
//   {"op": "time", "texts": [...]}                                      -> {"tokens": N, "seconds": S}
// A failure answers {"error": MESSAGE, "code": SYSEXITS}.
#include <chrono>
#include <exception>
#include <iostream>

#include "data/support/error.h"
#include "data/support/json.h"
#include "data/tokenizer/chat_template.h"
#include "data/tokenizer/jinja_template.h"
#include "data/tokenizer/tokenizer.h"

namespace {

using rim::Json;

std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::vector<rim::TextSpan> spans_of(const Json& list) {
  std::vector<rim::TextSpan> spans;
  for (const Json& span : list) spans.push_back({span.at("text"), span.at("literal")});
  return spans;
}

Json json_of(const std::vector<rim::TextSpan>& spans) {
  Json list = Json::array();
  for (const auto& span : spans) list.push_back({{"text", span.text}, {"literal", span.literal}});
  return list;
}

std::vector<rim::Message> messages_of(const Json& list) {
  std::vector<rim::Message> messages;
  for (const Json& message : list) {
    messages.push_back({message.at("role"), message.at("content"), message.value("reasoning", "")});
  }
  return messages;
}

Json time_encoding(const rim::Tokenizer& tokenizer, const std::vector<std::string>& texts) {
  std::size_t tokens = 0;
  const auto start = std::chrono::steady_clock::now();
  for (const auto& text : texts) tokens += tokenizer.encode(text).size();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return {{"tokens", tokens}, {"seconds", elapsed.count()}};
}

Json render(const rim::Tokenizer& tokenizer, const std::string& folder, const Json& request) {
  const auto chat = rim::ChatTemplate::detect(folder, tokenizer, request.value("name", "auto"));
  const auto messages = messages_of(request.at("messages"));
  const auto thinking = rim::parse_thinking_mode(request.at("thinking"));
  if (request.at("op") == "prompt") return {{"text", text_of(chat.render_prompt(messages, thinking))}};
  Json pieces = Json::array();
  for (const auto& piece : chat.render(messages, thinking)) {
    pieces.push_back({{"text", text_of(piece.spans)}, {"trained", piece.trained}, {"spans", json_of(piece.spans)}});
  }
  return {{"pieces", pieces}};
}

Json render_jinja(const Json& request) {
  try {
    return {{"text", rim::JinjaTemplate(request.at("template").get<std::string>()).render(request.at("variables"))}};
  } catch (const rim::JinjaError& error) {
    return {{"refused", error.what()}};
  }
}

Json answer(const rim::Tokenizer& tokenizer, const std::string& folder, const Json& request) {
  const std::string operation = request.at("op");
  if (operation == "encode") {
    const std::string text =
        request.contains("hex") ? bytes_of_hex(request["hex"]) : request.at("text").get<std::string>();
    return {{"ids", tokenizer.encode(text)}};
  }
  if (operation == "encode_whole_text")
    return {{"ids", tokenizer.encode_whole_text(request.at("text").get<std::string>())}};
  if (operation == "encode_spans") return {{"ids", tokenizer.encode(spans_of(request.at("spans")))}};
  if (operation == "decode") {
    const std::vector<rim::TokenId> ids = request.at("ids");
    return {{"text", tokenizer.decode(ids, request.value("skip", false))}};
  }
  if (operation == "jinja") return render_jinja(request);
  if (operation == "time") return time_encoding(tokenizer, request.at("texts"));
  return render(tokenizer, folder, request);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 2) throw rim::Error(rim::ExitCode::usage, "usage: tokenizer_tool PATH [TEMPLATE_FOLDER]");
    const auto tokenizer = rim::Tokenizer::load(argv[1]);
    const std::string folder = argv[argc > 2 ? 2 : 1];
    for (std::string line; std::getline(std::cin, line);) {
      try {
        std::cout << answer(tokenizer, folder, rim::parse_json(line, "request")).dump() << "\n";
      } catch (const rim::Error& error) {
        std::cout << Json{{"error", error.what()}, {"code", static_cast<int>(error.code())}}.dump() << "\n";
      }
    }
  } catch (const rim::Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(rim::ExitCode::software);
  }
}
