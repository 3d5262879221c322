#include "data/tokenizer/utf8.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <cstdint>

#include "data/support/error.h"

// ICU's macros expand to conversions that are right but implicit.
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"

namespace rim {
namespace {

constexpr char32_t kReplacementCharacter = 0xFFFD;

// ICU's macros count in int32_t.
std::int32_t checked_length(std::string_view bytes) {
  if (bytes.size() > static_cast<std::size_t>(INT32_MAX)) {
    throw Error(ExitCode::bad_data, "a text of more than 2 GiB cannot be tokenized in one piece; split it");
  }
  return static_cast<std::int32_t>(bytes.size());
}

}  // namespace

bool is_valid_utf8(std::string_view bytes) {
  const std::int32_t length = checked_length(bytes);
  for (std::int32_t position = 0; position < length;) {
    UChar32 code_point = 0;
    U8_NEXT(bytes.data(), position, length, code_point);
    if (code_point < 0) return false;
  }
  return true;
}

std::string replace_invalid_utf8(std::string_view bytes) {
  const std::int32_t length = checked_length(bytes);
  std::string text;
  text.reserve(bytes.size());
  for (std::int32_t position = 0; position < length;) {
    const std::int32_t start = position;
    UChar32 code_point = 0;
    U8_NEXT(bytes.data(), position, length, code_point);
    if (code_point < 0) {
      append_utf8(text, kReplacementCharacter);
    } else {
      text.append(bytes.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(position - start)));
    }
  }
  return text;
}

void append_utf8(std::string& text, char32_t code_point) {
  char buffer[U8_MAX_LENGTH];
  std::int32_t length = 0;
  U8_APPEND_UNSAFE(buffer, length, static_cast<UChar32>(code_point));
  text.append(buffer, static_cast<std::size_t>(length));
}

char32_t next_code_point(std::string_view text, std::size_t& position) {
  UChar32 code_point = 0;
  U8_NEXT_UNSAFE(text.data(), position, code_point);
  return static_cast<char32_t>(code_point);
}

char32_t previous_code_point(std::string_view text, std::size_t& position) {
  UChar32 code_point = 0;
  U8_PREV_UNSAFE(text.data(), position, code_point);
  return static_cast<char32_t>(code_point);
}

bool is_white_space(char32_t code_point) { return u_isUWhiteSpace(static_cast<UChar32>(code_point)) != 0; }

}  // namespace rim
