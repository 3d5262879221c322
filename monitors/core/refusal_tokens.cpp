#include "monitors/core/refusal_tokens.h"

#include <array>
#include <set>
#include <string_view>

#include "data/support/error.h"

namespace rim {
namespace {

constexpr std::array<std::string_view, 6> kOpeners{"I",         "Sorry",      "As an AI", "Unfortunately",
                                                   "Apologies", "Regrettably"};

std::string_view first_word(std::string_view text) { return text.substr(0, text.find_first_of(" ,")); }

}  // namespace

std::vector<TokenId> encode_literal(const Tokenizer& tokenizer, const std::string& text) {
  const std::array<TextSpan, 1> spans{TextSpan{.text = text, .literal = true}};
  return tokenizer.encode(spans);
}

std::vector<TokenId> refusal_tokens(const Tokenizer& tokenizer, const std::string& refusal_text,
                                    const std::string& compliance_text) {
  std::set<TokenId> tokens;
  for (const std::string_view opener : kOpeners) {
    const std::vector<TokenId> encoded = encode_literal(tokenizer, std::string(opener));
    if (encoded.empty()) continue;
    if (tokenizer.decode(std::span(encoded).first(1), false) == first_word(opener)) tokens.insert(encoded.front());
  }
  const std::vector<TokenId> refusal = encode_literal(tokenizer, refusal_text);
  const std::vector<TokenId> compliance = encode_literal(tokenizer, compliance_text);
  if (!refusal.empty()) tokens.insert(refusal.front());
  if (!compliance.empty()) tokens.erase(compliance.front());
  if (tokens.empty()) {
    throw Error(ExitCode::config, "refusal_text '" + refusal_text + "' and compliance_text '" + compliance_text +
                                      "' begin with the same token, and no common refusal opener is one token: "
                                      "give texts that differ from the first word on");
  }
  return {tokens.begin(), tokens.end()};
}

}  // namespace rim
