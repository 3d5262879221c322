#include "data/tokenizer/normalizer.h"

#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

#include <algorithm>
#include <string>

#include "data/support/error.h"

namespace rim {
namespace {

void check(UErrorCode status, const char* step) {
  if (U_FAILURE(status)) throw Error(ExitCode::software, std::string("ICU: ") + step + ": " + u_errorName(status));
}

icu::UnicodeSet characters_of_unicode_9() {
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeSet set(icu::UnicodeString("[:age=9.0:]"), status);
  check(status, "reading the age of characters");
  set.freeze();
  return set;
}

const icu::Normalizer2& nfc() {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* instance = icu::Normalizer2::getNFCInstance(status);
  check(status, "loading the NFC tables");
  return *instance;
}

// Carries the literal marks over the edits that turned the old text into the new one.
std::string move_marks(std::string_view old_marks, const icu::Edits& edits) {
  std::string marks;
  UErrorCode status = U_ZERO_ERROR;
  for (icu::Edits::Iterator edit = edits.getCoarseIterator(); edit.next(status) != 0;) {
    const auto from =
        old_marks.substr(static_cast<std::size_t>(edit.sourceIndex()), static_cast<std::size_t>(edit.oldLength()));
    if (edit.hasChange() != 0) {
      const char mark = from.find('\1') == std::string_view::npos ? '\0' : '\1';
      marks.append(static_cast<std::size_t>(edit.newLength()), mark);
    } else {
      marks.append(from);
    }
  }
  check(status, "following a normalisation");
  return marks;
}

}  // namespace

struct NfcNormalizer::Implementation {
  icu::UnicodeSet known = characters_of_unicode_9();
  icu::FilteredNormalizer2 normalizer{nfc(), known};
};

NfcNormalizer::NfcNormalizer() : implementation_(std::make_unique<Implementation>()) {}
NfcNormalizer::~NfcNormalizer() = default;
NfcNormalizer::NfcNormalizer(NfcNormalizer&&) noexcept = default;
NfcNormalizer& NfcNormalizer::operator=(NfcNormalizer&&) noexcept = default;

bool NfcNormalizer::surely_normalized(std::string_view text) {
  // NFC changes nothing below U+0300, whose UTF-8 starts with 0xCC.
  return std::none_of(text.begin(), text.end(), [](char byte) { return static_cast<unsigned char>(byte) >= 0xCC; });
}

MarkedText NfcNormalizer::normalize(MarkedView input) const {
  MarkedText result;
  icu::StringByteSink<std::string> sink(&result.text, static_cast<std::int32_t>(input.text.size()));
  icu::Edits edits;
  UErrorCode status = U_ZERO_ERROR;
  implementation_->normalizer.normalizeUTF8(
      0, icu::StringPiece(input.text.data(), static_cast<std::int32_t>(input.text.size())), sink,
      input.literal.empty() ? nullptr : &edits, status);
  check(status, "normalising a text");
  if (!input.literal.empty()) result.literal = move_marks(input.literal, edits);
  return result;
}

}  // namespace rim
