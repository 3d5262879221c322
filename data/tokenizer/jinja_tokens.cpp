#include "data/tokenizer/jinja_tokens.h"

#include <algorithm>
#include <array>

#include "data/support/text.h"

namespace rim {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

bool is_in(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

// Python's escapes that templates use; an unknown one stays as it is written, as in Python.
std::string unescape(std::string_view text) {
  static constexpr std::string_view kLetters = "ntr\\'\"";
  static constexpr std::string_view kMeanings = "\n\t\r\\'\"";
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next != '\0' && is_in("xuUNabfv01234567", next)) {
      throw JinjaError(std::string("the escape '\\") + next + "' is not supported");
    }
    const auto known = next == '\0' ? std::string_view::npos : kLetters.find(next);
    plain += known == std::string_view::npos ? text[i] : kMeanings[known];
    if (known != std::string_view::npos) ++i;
  }
  return plain;
}

class Cutter {
 public:
  explicit Cutter(std::string_view source)
      : text_(replace_all(replace_all(std::string(source), "\r\n", "\n"), "\r", "\n")) {
    if (text_.ends_with('\n')) text_.pop_back();
  }

  std::vector<JinjaChunk> cut() {
    while (at_ < text_.size()) {
      const std::size_t tag = next_tag();
      add_text(tag);
      at_ = std::min(tag, text_.size());
      if (at_ < text_.size()) read_tag();
    }
    return std::move(chunks_);
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  [[nodiscard]] std::size_t next_tag() const {
    std::size_t tag = text_.find('{', at_);
    while (tag != std::string::npos && (tag + 1 == text_.size() || !is_in("{%#", text_[tag + 1]))) {
      tag = text_.find('{', tag + 1);
    }
    return tag == std::string::npos ? text_.size() : tag;
  }

  // The text up to `end`, without what the tag there strips: all white space for "{%-", the blanks of its own line for
  // "{%" and "{#".
  void add_text(std::size_t end) {
    std::string_view text = std::string_view(text_).substr(at_, end - at_);
    const char kind = end + 1 < text_.size() ? text_[end + 1] : '\0';
    const char mark = end + 2 < text_.size() ? text_[end + 2] : '\0';
    if (kind != '\0' && mark == '-') {
      text = text.substr(0, text.find_last_not_of(kWhitespace) + 1);
    } else if ((kind == '%' || kind == '#') && mark != '+') {
      const std::size_t kept = text.find_last_not_of(" \t") + 1;
      if (kept == 0 ? starts_line_ : text[kept - 1] == '\n') text = text.substr(0, kept);
    }
    if (!text.empty()) chunks_.push_back({JinjaChunk::Kind::text, std::string(text), {}});
  }

  void read_tag() {
    const char kind = peek(1);
    at_ += 2;
    if (peek() == '-' || peek() == '+') ++at_;
    if (kind == '#') return read_comment();
    JinjaChunk chunk;
    chunk.kind = kind == '{' ? JinjaChunk::Kind::output : JinjaChunk::Kind::statement;
    const std::string closing = kind == '{' ? "}}" : "%}";
    for (int open = 0;;) {
      skip_blanks();
      if (open == 0 && read_end(closing)) break;
      chunk.tokens.push_back(read_token());
      const JinjaToken& token = chunk.tokens.back();
      if (token.kind != JinjaToken::Kind::sign) continue;
      if (is_in("([{", token.text[0])) ++open;
      if (is_in(")]}", token.text[0])) --open;
    }
    chunk.tokens.emplace_back();
    chunks_.push_back(std::move(chunk));
  }

  void read_comment() {
    const std::size_t end = text_.find("#}", at_);
    if (end == std::string::npos) throw JinjaError("a comment does not end");
    at_ = end > at_ && (text_[end - 1] == '-' || text_[end - 1] == '+') ? end - 1 : end;
    read_end("#}");
  }

  // Passes the closing sign and the white space that it strips: all for "-%}", one line break for "%}" and "#}".
  bool read_end(const std::string& closing) {
    const bool marked = peek() == '-' || (peek() == '+' && closing != "}}");
    if (text_.compare(at_ + (marked ? 1 : 0), 2, closing) != 0) return false;
    const char mark = marked ? peek() : '\0';
    at_ += marked ? 3 : 2;
    const std::size_t begin = at_;
    if (mark == '-') {
      while (is_in(kWhitespace, peek()) && at_ < text_.size()) ++at_;
    } else if (closing != "}}" && mark != '+' && peek() == '\n') {
      ++at_;
    }
    starts_line_ = at_ > begin && text_[at_ - 1] == '\n';
    return true;
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_in(kWhitespace, peek())) ++at_;
    if (at_ == text_.size()) throw JinjaError("a tag does not end");
  }

  JinjaToken read_run(JinjaToken::Kind kind, std::string_view characters) {
    const std::size_t end = std::min(text_.find_first_not_of(characters, at_), text_.size());
    JinjaToken token{kind, text_.substr(at_, end - at_)};
    at_ = end;
    return token;
  }

  JinjaToken read_string(char quote) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2U : 1U;
    if (end >= text_.size()) throw JinjaError("a string does not end");
    JinjaToken token{JinjaToken::Kind::string, unescape(std::string_view(text_).substr(at_ + 1, end - at_ - 1))};
    at_ = end + 1;
    return token;
  }

  JinjaToken read_token() {
    static constexpr auto kPairs = std::to_array<std::string_view>({"==", "!=", "<=", ">=", "//", "**"});
    if (peek() == '\'' || peek() == '"') return read_string(peek());
    if (is_in(kDigits, peek())) return read_run(JinjaToken::Kind::number, kDigits);
    if (is_in(kNameCharacters, peek())) return read_run(JinjaToken::Kind::name, kNameCharacters);
    if (!is_in("=!<>/*+-~%|.,:()[]{}", peek())) throw JinjaError(std::string("'") + peek() + "' in a tag");
    const std::string pair = text_.substr(at_, 2);
    JinjaToken token{JinjaToken::Kind::sign,
                     std::ranges::find(kPairs, pair) != kPairs.end() ? pair : pair.substr(0, 1)};
    at_ += token.text.size();
    return token;
  }

  std::string text_;
  std::size_t at_ = 0;
  bool starts_line_ = true;  // what stands at at_ begins a line
  std::vector<JinjaChunk> chunks_;
};

}  // namespace

std::vector<JinjaChunk> cut_jinja(std::string_view source) { return Cutter(source).cut(); }

}  // namespace rim
