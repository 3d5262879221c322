#include "data/tokenizer/split_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <new>

#include "data/support/error.h"
#include "data/tokenizer/regex_translation.h"

namespace rim {
namespace {

// A split rule backtracks over at most a run of spaces, once; this is room for a few such passes.
constexpr std::uint64_t kStepsPerByte = 16;
constexpr std::uint64_t kLeastSteps = 1'000'000;
constexpr std::uint32_t kDepthLimit = 100'000;
constexpr std::uint32_t kHeapLimitKibibytes = 256 * 1024;

PCRE2_SPTR as_code_units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

std::string describe(int code) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

template <typename T>
T* require(T* pointer) {
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}

struct Release {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

}  // namespace

struct SplitPattern::Code {
  std::unique_ptr<pcre2_code, Release> compiled;
  std::string origin;
};

SplitPattern::SplitPattern(std::string_view pattern, const std::string& origin) : code_(std::make_unique<Code>()) {
  const std::string translated = translate_regex(pattern, origin);
  int error = 0;
  PCRE2_SIZE offset = 0;
  code_->origin = origin;
  code_->compiled.reset(
      pcre2_compile(as_code_units(translated), translated.size(), PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr));
  if (code_->compiled == nullptr) {
    throw Error(ExitCode::bad_data,
                origin + ": the regular expression '" + std::string(pattern) + "' is malformed: " + describe(error));
  }
  // Where the system forbids generated code, matching falls back to the interpreter.
  pcre2_jit_compile(code_->compiled.get(), PCRE2_JIT_COMPLETE);
}

SplitPattern::~SplitPattern() = default;
SplitPattern::SplitPattern(SplitPattern&&) noexcept = default;
SplitPattern& SplitPattern::operator=(SplitPattern&&) noexcept = default;

struct SplitPattern::Search::State {
  const Code* code = nullptr;
  std::unique_ptr<pcre2_match_data, Release> data;
  std::unique_ptr<pcre2_match_context, Release> context;
};

SplitPattern::Search::Search(const SplitPattern& pattern) : state_(std::make_unique<State>()) {
  state_->code = pattern.code_.get();
  state_->data.reset(require(pcre2_match_data_create(1, nullptr)));
  state_->context.reset(require(pcre2_match_context_create(nullptr)));
  pcre2_set_depth_limit(state_->context.get(), kDepthLimit);
  pcre2_set_heap_limit(state_->context.get(), kHeapLimitKibibytes);
}

SplitPattern::Search::~Search() = default;
SplitPattern::Search::Search(Search&&) noexcept = default;
SplitPattern::Search& SplitPattern::Search::operator=(Search&&) noexcept = default;

std::optional<SplitPattern::Range> SplitPattern::Search::next(std::string_view text, std::size_t from) {
  const std::uint64_t steps = kLeastSteps + kStepsPerByte * text.size();
  pcre2_set_match_limit(state_->context.get(), static_cast<std::uint32_t>(std::min<std::uint64_t>(
                                                   steps, std::numeric_limits<std::uint32_t>::max())));
  const auto match = [&](std::uint32_t options) {
    return pcre2_match(state_->code->compiled.get(), as_code_units(text), text.size(), from,
                       PCRE2_NO_UTF_CHECK | options, state_->data.get(), state_->context.get());
  };
  int outcome = match(0);
  if (outcome == PCRE2_ERROR_JIT_STACKLIMIT) outcome = match(PCRE2_NO_JIT);
  if (outcome == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (outcome < 0) {
    throw Error(ExitCode::bad_data, state_->code->origin + ": splitting a text of " + std::to_string(text.size()) +
                                        " bytes failed: " + describe(outcome));
  }
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(state_->data.get());
  return Range{offsets[0], offsets[1]};
}

}  // namespace rim
