#include "data/tokenizer/added_tokens.h"

#include <algorithm>

#include "data/tokenizer/unicode_classes.h"
#include "data/tokenizer/utf8.h"

namespace rim {
namespace {

bool touches_word(std::string_view text, std::size_t begin, std::size_t end) {
  std::size_t before = begin;
  std::size_t after = end;
  return (begin > 0 && is_word_character(previous_code_point(text, before))) ||
         (end < text.size() && is_word_character(next_code_point(text, after)));
}

std::size_t before_white_space(std::string_view text, std::size_t position, std::size_t least) {
  while (position > least) {
    std::size_t start = position;
    if (!is_white_space(previous_code_point(text, start))) break;
    position = start;
  }
  return std::max(position, least);
}

std::size_t behind_white_space(std::string_view text, std::size_t position) {
  while (position < text.size()) {
    std::size_t end = position;
    if (!is_white_space(next_code_point(text, end))) break;
    position = end;
  }
  return position;
}

}  // namespace

bool barred_in_literal_text(const AddedToken& token) {
  const std::string_view text = token.content;
  const bool bracketed =
      (text.starts_with('<') && text.ends_with('>')) || (text.starts_with('[') && text.ends_with(']'));
  return token.special || bracketed;
}

AddedTokenMatcher::AddedTokenMatcher(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& left, const Entry& right) { return left.spelling < right.spelling; });
  for (const Entry& entry : entries_) first_bytes_[static_cast<unsigned char>(entry.spelling.front())] = true;
}

const AddedTokenMatcher::Entry* AddedTokenMatcher::longest_match(MarkedView text, std::size_t begin) const {
  const Entry* longest = nullptr;
  auto first = entries_.begin();  // [first, last): entries that start with what was read so far
  auto last = entries_.end();
  bool touches_literal = false;
  for (std::size_t depth = 0; begin + depth < text.text.size(); ++depth) {
    touches_literal = touches_literal || text.is_literal(begin + depth);
    const auto byte = static_cast<unsigned char>(text.text[begin + depth]);
    const auto byte_at_depth = [depth](const Entry& entry) {
      return entry.spelling.size() > depth ? static_cast<unsigned char>(entry.spelling[depth]) : -1;
    };
    first = std::partition_point(first, last, [&](const Entry& entry) { return byte_at_depth(entry) < byte; });
    last = std::partition_point(first, last, [&](const Entry& entry) { return byte_at_depth(entry) == byte; });
    if (first == last) break;
    const bool whole = first->spelling.size() == depth + 1;
    if (whole && !(touches_literal && barred_in_literal_text(first->token))) longest = &*first;
  }
  return longest;
}

std::vector<AddedTokenMatcher::Segment> AddedTokenMatcher::split(MarkedView marked) const {
  const std::string_view text = marked.text;
  std::vector<Segment> segments;
  std::size_t done = 0;  // end of the last segment
  for (std::size_t position = 0; position < text.size();) {
    const bool may_start = first_bytes_[static_cast<unsigned char>(text[position])];
    const Entry* entry = may_start ? longest_match(marked, position) : nullptr;
    if (entry == nullptr) {
      ++position;
      continue;
    }
    std::size_t begin = position;
    std::size_t end = position + entry->spelling.size();
    position = end;
    if (entry->token.single_word && touches_word(text, begin, end)) continue;
    if (entry->token.lstrip) begin = before_white_space(text, begin, done);
    if (entry->token.rstrip) end = behind_white_space(text, end);
    if (done < begin) segments.push_back({done, begin, std::nullopt});
    segments.push_back({begin, end, entry->token.id});
    done = end;
  }
  if (done < text.size()) segments.push_back({done, text.size(), std::nullopt});
  return segments;
}

}  // namespace rim
